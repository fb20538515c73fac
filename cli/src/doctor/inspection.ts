import type { BillingOverview, DeadLettersOverview, LifecycleOverview, OperationView, ProvisionerOverview } from '@reprise/contracts';
import type { QueueStatus } from '../status/queues';
import type { ServiceStatus } from '../status/services';

/** What was seen of an instance. What could not be looked at is null, with the reason beside it. */
export interface Inspection {
  services: ServiceStatus[];
  /** Null where no database is configured here: then the services alone can tell. */
  database: Reached | null;
  broker: Reached;
  queues: QueueStatus[] | null;
  lifecycle: Answered<LifecycleOverview> | null;
  provisioner: Answered<ProvisionerOverview> | null;
  billing: Answered<BillingOverview> | null;
  deadletters: Answered<DeadLettersOverview> | null;
  /** Queries that somebody should have answered, and nobody did in time. */
  unanswered: { service: string; why: string }[];
  /** How many operations are sent again at once; null where that was not asked for, or not done. */
  resent: number | null;
  /** Null where they were not asked for, or not told. */
  operationsInFlight: OperationView[] | null;
}

/** Whether a server could be reached: null, or why not. */
export interface Reached {
  problem: string | null;
}

/** An answer, and the span of this machine's clock in which it was made; epoch milliseconds. */
export interface Answered<T> {
  value: T;
  from: number;
  to: number;
}

/** Whether anything of the instance could be looked at. */
export function sawNothing({ broker, services }: Inspection): boolean {
  return broker.problem !== null && services.every(({ status }) => status === 'down' || status === 'silent');
}
