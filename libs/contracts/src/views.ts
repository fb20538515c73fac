import type { RefusalBody } from './errors';
import type { RoleRuntime } from './messages/role-runtime';
import type {
  DeadLetterStatus,
  OperationErrorCode,
  OperationKind,
  OperationStatus,
  PackStatus,
  PhaseStatus,
  PodLostPolicy,
  Posture,
  ProviderKind,
  ReplayStatus,
  Step,
  TaskStatus,
  WorkspaceStatus,
} from './vocabulary';

/** What answers hold: the REST contract's resources, as they travel in replies too. Times are RFC 3339 in UTC. */

export interface WorkspaceView {
  id: string;
  org_id: string;
  role_id: string;
  environment: string | null;
  status: WorkspaceStatus;
  generation: number;
  created_by_user_id: string;
  snapshot_ref: string | null;
  last_snapshot_error: string | null;
  /** Why it failed; until an operation succeeds. */
  failure?: WorkspaceFailure;
  pack_status: PackStatus;
  operation: OperationView | null;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
}

export interface WorkspaceFailure {
  code: OperationErrorCode;
  message: string;
  /** The operation that failed; null where none was under way. */
  operation_id: string | null;
  at: string;
}

export interface PhaseView {
  name: Step;
  status: PhaseStatus;
  started_at: string;
  finished_at: string | null;
  detail?: string;
}

export interface OperationView {
  id: string;
  workspace_id: string;
  kind: OperationKind;
  status: OperationStatus;
  generation: number;
  force: boolean;
  requested_by: string;
  phases: PhaseView[];
  /** What the new pod began from: a snapshot's id, `salvage` or `empty`. Absent until there is one, and where the operation makes no pod. */
  state_from?: string;
  error?: { code: OperationErrorCode; message: string };
  created_at: string;
  finished_at: string | null;
}

export interface TaskView {
  id: string;
  workspace_id: string;
  description: string;
  status: TaskStatus;
  output?: string;
  reason?: string;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  duration_seconds: number | null;
}

/** A task as a list shows it: without its output, and with no more of its text than a reader needs to know it by. */
export interface TaskSummary extends Omit<TaskView, 'output'> {
  /** There where `description` is cut. */
  description_truncated?: true;
}

/** Stands for a value that the caller may not read. */
export const MASKED = '***';

export interface RoleView {
  id: string;
  name: string;
  display_name: string;
  provider_id: string;
  command: string[];
  /** Without the right to change roles each value is `MASKED`. */
  env: Record<string, string>;
  /** The names of the variables whose values nobody can read. */
  secret_env: string[];
  task_timeout_seconds: number;
  idle_timeout_seconds: number;
  runtime: RoleRuntime;
  on_pod_lost: PodLostPolicy;
  checkpoint_interval_seconds: number;
  version: number;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
}

/** A role as a list shows it. */
export type RoleSummary = Omit<RoleView, 'env' | 'secret_env'>;

export interface ProviderView {
  id: string;
  name: string;
  kind: ProviderKind;
  /** Without the right to change providers each value is `MASKED`. */
  config: Record<string, unknown>;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
}

/** A provider as a list shows it. */
export type ProviderSummary = Omit<ProviderView, 'config'>;

export interface TenantView {
  org_id: string;
  posture: Posture;
  trial_ends_at: string | null;
  /** Whether the tenant may add: active, or a trial that has not ended. */
  may_add: boolean;
}

/** A dead letter as a list shows it. Text that the message itself brought is shown as far as it can be stored. */
export interface DeadLetterView {
  id: string;
  status: DeadLetterStatus;
  /** Null where the message had none. */
  message_id: string | null;
  type: string | null;
  queue: string;
  org_id: string | null;
  workspace_id: string | null;
  reason: string;
  exception: string | null;
  /** Attempts before its last death. */
  attempts: number;
  /** How often it has died. */
  deaths: number;
  /** How often it has been replayed. */
  replays: number;
  /** Letters with the same one failed for the same cause, as far as can be told. */
  group: string;
  first_failed_at: string;
  last_failed_at: string;
  bytes: number;
  /** The replay that it was last part of. */
  replay_id: string | null;
  /** The letter that this one is an edited copy of, and the other way round. */
  edited_from: string | null;
  edited_to: string | null;
}

/** Everything that is known of a dead letter. */
export interface DeadLetterWhole extends DeadLetterView {
  /** The broker user that sent the message first, as the broker or who published it again vouches; null where nobody does. */
  sender: string | null;
  stack: string | null;
  headers: Record<string, unknown>;
  properties: Record<string, unknown>;
  body: DeadLetterBody;
  history: DeadLetterEventView[];
}

/** The body as it was received; as text where it is UTF-8, and cut off after a mebibyte. */
export interface DeadLetterBody {
  encoding: 'utf8' | 'base64';
  content: string;
  truncated: boolean;
}

/** What happened to a dead letter; kept for good. */
export interface DeadLetterEventView {
  at: string;
  action: string;
  /** The operator; null where no person did it. */
  actor: string | null;
  detail: Record<string, unknown>;
}

export interface DeadLetterGroupView {
  group: string;
  type: string | null;
  queue: string;
  reason: string;
  /** Of one of them. */
  exception: string | null;
  count: number;
  first_failed_at: string;
  last_failed_at: string;
}

export interface ReplayView {
  id: string;
  status: ReplayStatus;
  rate_per_second: number;
  requested_by: string;
  created_at: string;
  finished_at: string | null;
  total: number;
  /** Not yet sent. */
  pending: number;
  /** With the queue that failed, and not come back. */
  done: number;
  failed_again: number;
  discarded: number;
  /** Left as they were, since the replay was cancelled. */
  cancelled: number;
  /** Why it does not get on just now, where it does not. */
  last_error: string | null;
}

/** A command's or query's answer, as it travels in the body of a reply and as it is remembered. */
export type Reply<T = unknown> = { status: 'done'; value: T } | { status: 'refused'; refusal: RefusalBody };
