import type { OperationKind, Step } from './vocabulary';

/** What an operator sees of a service that keeps state. Times are RFC 3339. */
interface Overview {
  /** Taken together: how far they are apart is how far the clocks are. */
  clocks: { service: string; database: string };
  /** Messages that wait to be published, and since when the oldest does. */
  outbox: { count: number; oldest_at: string | null };
}

export interface LifecycleOverview extends Overview {
  workspaces: Record<string, number>;
  operations_in_flight: number;
  /** Operations whose command was sent again for want of progress, the oldest first. */
  stuck_operations: StuckOperation[];
  tasks_in_flight: number;
  /** Tasks that were sent again or interrupted, the oldest first. */
  stuck_tasks: { id: string; workspace_id: string; status: string; resends: number; interrupts: number; deadline_at: string }[];
}

export interface StuckOperation {
  id: string;
  workspace_id: string;
  kind: OperationKind;
  /** The phase that it is in; null before the first. */
  phase: Step | null;
  resends: number;
  created_at: string;
  deadline_at: string;
}

export interface ProvisionerOverview extends Overview {
  jobs: { waiting: number; running: number };
  /** Unfinished jobs past their deadline, the oldest first. */
  overdue_jobs: { id: string; kind: string; workspace_id: string; step: string | null; attempt: number; deadline_at: string }[];
  pods: Record<string, number>;
  snapshots: Record<string, number>;
  /** The last comparison of pods that the answering replica made; null where another one makes them. */
  last_reconcile: { at: string; findings: string[] } | null;
}
