import type { OperationKind, Step } from './vocabulary';
import type { DeadLetterGroupView, WorkspaceFailure } from './views';

/** What an operator sees of a service that keeps state. Times are RFC 3339. A field with a question mark is not told by older versions. */
interface Overview {
  /** Taken together: how far they are apart is how far the clocks are. */
  clocks: { service: string; database: string };
}

interface WithOutbox extends Overview {
  /** Messages that wait to be published, and since when the oldest does. */
  outbox: { count: number; oldest_at: string | null };
}

export interface LifecycleOverview extends WithOutbox {
  workspaces: Record<string, number>;
  /** Workspaces that failed and are not archived, the latest first. */
  failed_workspaces?: { count: number; listed: FailedWorkspace[] };
  /** Workspaces whose last attempt to save them failed, and which run on. */
  unsaved_workspaces?: { count: number; listed: { id: string; org_id: string; error: string; since: string }[] };
  operations_in_flight: number;
  /** The one that was accepted first of those that have not ended. */
  oldest_operation?: UnfinishedOperation | null;
  /** Operations whose command was sent again for want of progress, the oldest first. */
  stuck_operations: StuckOperation[];
  tasks_in_flight: number;
  /** Tasks that were sent again or interrupted, the oldest first. */
  stuck_tasks: { id: string; workspace_id: string; status: string; resends: number; interrupts: number; deadline_at: string }[];
}

export interface FailedWorkspace {
  id: string;
  org_id: string;
  since: string;
  /** Why, as the workspace itself tells; null where nothing is on record. */
  reason: Omit<WorkspaceFailure, 'at'> | null;
}

interface UnfinishedOperation {
  id: string;
  workspace_id: string;
  kind: OperationKind;
  /** The phase that it is in; null before the first. */
  phase: Step | null;
  created_at: string;
  deadline_at: string;
}

export interface StuckOperation extends UnfinishedOperation {
  resends: number;
}

export interface ProvisionerOverview extends WithOutbox {
  jobs: { waiting: number; running: number };
  /** Unfinished jobs past their deadline, the oldest first. */
  overdue_jobs: { id: string; kind: string; workspace_id: string; step: string | null; attempt: number; deadline_at: string }[];
  pods: Record<string, number>;
  snapshots: Record<string, number>;
  /** The last comparison of pods that the answering replica made; null where another one makes them. */
  last_reconcile: {
    at: string;
    findings: string[];
    /** What should have been corrected and could not be: pods that should not be there, and why they still are. */
    failures?: string[];
  } | null;
  /** Why the answering replica cannot compare pods at all, and since when; null where it can. */
  reconcile_problem?: { message: string; since: string } | null;
  /** What stands against the snapshot store, asked now; null for nothing. */
  snapshot_store?: { problem: string | null; since: string | null };
  /** Why pods are not kept from each other and from Reprise on this machine; null where they are. */
  isolation_problem?: string | null;
}

export type BillingOverview = WithOutbox;

export interface DeadLettersOverview extends Overview {
  /** Letters that wait for an operator, and since when the oldest does. */
  waiting: { count: number; oldest_at: string | null };
  /** What they failed for: how many different things, and the largest of them. */
  groups: { count: number; largest: DeadLetterGroupView[] };
  /** Replays that were paused, or that do not get on. */
  stuck_replays: { id: string; status: string; created_at: string; last_error: string | null }[];
}

/** An object of the snapshot store that no snapshot on record has. */
export interface UnrecordedSnapshot {
  key: string;
  workspace_id: string;
  /** Whether the workspace is on record: only then can it be adopted. One that was made after the backup is not. */
  workspace_known: boolean;
  /** As it is stored. */
  size_bytes: number;
  modified_at: string;
}

export interface UnrecordedSnapshots {
  objects: UnrecordedSnapshot[];
  /** Whether there are more than were asked for. */
  more: boolean;
}

/** What became of an adoption: the snapshot, or why there is none. */
export interface AdoptionResult {
  snapshot: { id: string; workspace_id: string; taken_at: string; entries: number; tar_bytes: number } | null;
  problem: string | null;
}
