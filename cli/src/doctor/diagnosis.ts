import type { LifecycleOverview, ProvisionerOverview } from '@reprise/contracts';
import type { QueueStatus } from '../status/queues';

/** What was found of an instance. What could not be asked is null, and is told as a problem by whoever asked. */
export interface Findings {
  queues: QueueStatus[] | null;
  lifecycle: Answered<LifecycleOverview> | null;
  provisioner: Answered<ProvisionerOverview> | null;
}

/** An answer, and the span of this machine's clock in which it was made; epoch milliseconds. */
export interface Answered<T> {
  value: T;
  from: number;
  to: number;
}

/** An outbox is emptied within a moment while the broker is there; a sweep takes what a crash left after 5 s. */
const OLDEST_IN_OUTBOX_MS = 30_000;
/** Deadlines and leases bear this much. */
const MOST_SKEW_MS = 2_000;

/** What is wrong, one sentence each; none where all is well. Pure. */
export function problemsOf({ queues, lifecycle, provisioner }: Findings): string[] {
  return [...(queues ?? []).flatMap(ofQueue), ...ofLifecycle(lifecycle), ...ofProvisioner(provisioner)];
}

function ofQueue({ name, exists, consumers, dead }: QueueStatus): string[] {
  if (!exists) return [`the queue ${name} does not exist`];
  return [...(consumers === 0 ? [`nobody consumes ${name}`] : []), ...(dead > 0 ? [`${dead} dead letters of ${name}`] : [])];
}

function ofLifecycle(answered: Answered<LifecycleOverview> | null): string[] {
  if (!answered) return [];
  const { stuck_operations: operations, stuck_tasks: tasks } = answered.value;
  return [
    ...ofService('lifecycle', answered),
    ...operations.map((o) => `operation ${o.id} (${o.kind}) is quiet in ${o.phase ?? 'no phase yet'}: sent again ${o.resends} times`),
    ...tasks.map((t) => `task ${t.id} is ${t.status}: sent again ${t.resends} times, interrupted ${t.interrupts} times`),
  ];
}

function ofProvisioner(answered: Answered<ProvisionerOverview> | null): string[] {
  if (!answered) return [];
  const { overdue_jobs: jobs, last_reconcile: reconcile } = answered.value;
  return [
    ...ofService('provisioner', answered),
    ...jobs.map((j) => `job ${j.id} (${j.kind}) is past its deadline at ${j.step ?? 'its beginning'}, attempt ${j.attempt}`),
    ...(reconcile?.findings ?? []).map((finding) => `the reconciler found and corrected: ${finding}`),
  ];
}

function ofService(name: string, { value, from, to }: Answered<LifecycleOverview | ProvisionerOverview>): string[] {
  const { clocks, outbox } = value;
  const [service, database] = [Date.parse(clocks.service), Date.parse(clocks.database)];
  const age = outbox.oldest_at === null ? 0 : database - Date.parse(outbox.oldest_at);
  const off = Math.max(0, from - service, service - to);
  return [
    ...(age > OLDEST_IN_OUTBOX_MS ? [`${outbox.count} messages wait in the outbox of ${name}, the oldest for ${seconds(age)}`] : []),
    ...(Math.abs(service - database) > MOST_SKEW_MS ? [`the clock of ${name} is ${seconds(service - database)} off its database's`] : []),
    ...(off > MOST_SKEW_MS ? [`the clock of ${name} is ${seconds(off)} off this machine's`] : []),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
