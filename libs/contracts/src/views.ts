import type { RefusalBody } from './errors';
import type {
  OperationErrorCode,
  OperationKind,
  OperationStatus,
  PackStatus,
  PhaseStatus,
  Posture,
  ProviderKind,
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
  pack_status: PackStatus;
  operation: OperationView | null;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
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

export interface RoleView {
  id: string;
  name: string;
  display_name: string;
  provider_id: string;
  command: string[];
  env: Record<string, string>;
  task_timeout_seconds: number;
  idle_timeout_seconds: number;
  version: number;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
}

export interface ProviderView {
  id: string;
  name: string;
  kind: ProviderKind;
  config: Record<string, unknown>;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
}

export interface TenantView {
  org_id: string;
  posture: Posture;
  trial_ends_at: string | null;
  /** Whether the tenant may add: active, or a trial that has not ended. */
  may_add: boolean;
}

/** A command's or query's answer, as it travels in the body of a reply and as it is remembered. */
export type Reply<T = unknown> = { status: 'done'; value: T } | { status: 'refused'; refusal: RefusalBody };
