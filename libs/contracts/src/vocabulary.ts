/** The closed lists of the domain's words. Each stands once, here; columns, messages and the REST documents take them from here. */

export const WORKSPACE_STATUSES = ['provisioning', 'idle', 'busy', 'stopping', 'stopped', 'failed'] as const;
export type WorkspaceStatus = (typeof WORKSPACE_STATUSES)[number];

export const OPERATION_KINDS = ['create', 'restart', 'stop', 'resume'] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

export const OPERATION_STATUSES = ['pending', 'running', 'succeeded', 'failed'] as const;
export type OperationStatus = (typeof OPERATION_STATUSES)[number];

export const TASK_STATUSES = ['submitted', 'delivered', 'running', 'completed', 'failed', 'cancelled', 'delivery_failed'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** What an agent may say of a task. */
export const TASK_REPORTS = ['running', 'completed', 'failed', 'cancelled'] as const;
export type TaskReportStatus = (typeof TASK_REPORTS)[number];

export const POSTURES = ['active', 'trial', 'past_due', 'decommissioning'] as const;
export type Posture = (typeof POSTURES)[number];

export const PROVIDER_KINDS = ['anthropic', 'openai', 'gemini', 'vertex', 'azure-openai', 'none'] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

/** What becomes of a workspace whose pod is lost: it is failed, and stays so (`fail`) or is resumed from its last good snapshot (`resume`). */
export const POD_LOST_POLICIES = ['fail', 'resume'] as const;
export type PodLostPolicy = (typeof POD_LOST_POLICIES)[number];

/** `unknown` without a pod, `current` where the pod runs the role's present version, `stale` where the role has changed since. */
export const PACK_STATUSES = ['current', 'stale', 'unknown'] as const;
export type PackStatus = (typeof PACK_STATUSES)[number];

/**
 * The steps of the provisioner's jobs, in the order in which they are run; they are the phases of an operation. A live pod is brought to rest
 * (`quiesce`), a lost one is opened (`salvage`): no job does both.
 */
export const STEPS = ['salvage', 'quiesce', 'snapshot', 'verify', 'teardown', 'create', 'restore', 'ready'] as const;
export type Step = (typeof STEPS)[number];

export const STEP_STATUSES = ['started', 'succeeded', 'failed'] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

export const PHASE_STATUSES = ['running', 'succeeded', 'failed'] as const;
export type PhaseStatus = (typeof PHASE_STATUSES)[number];

/** Why an operation failed: the closed enum of `operation.error.code`. */
export const OPERATION_ERRORS = [
  'salvage_failed',
  'quiesce_failed',
  'snapshot_failed',
  'snapshot_too_large',
  'verify_failed',
  'teardown_failed',
  'create_failed',
  'restore_failed',
  'ready_failed',
  'operation_timeout',
  'pod_lost',
] as const;
export type OperationErrorCode = (typeof OPERATION_ERRORS)[number];

/** Reasons that Reprise itself gives a task's end; an agent may add `exit_<code>` and `signal_<name>`. */
export const TASK_REASONS = [
  'interrupted_by_restart',
  'interrupted_by_stop',
  'cancelled_by_user',
  'timeout',
  'no_command',
  'pod_lost',
  'pod_unreachable',
] as const;

/** `failed_again`: it was replayed and has come back. Only `open` and `failed_again` letters wait for an operator. */
export const DEAD_LETTER_STATUSES = ['open', 'replaying', 'replayed', 'failed_again', 'discarded'] as const;
export type DeadLetterStatus = (typeof DEAD_LETTER_STATUSES)[number];

export const REPLAY_STATUSES = ['running', 'paused', 'done', 'cancelled'] as const;
export type ReplayStatus = (typeof REPLAY_STATUSES)[number];

export const REPLAY_ACTIONS = ['pause', 'resume', 'cancel'] as const;
export type ReplayAction = (typeof REPLAY_ACTIONS)[number];

export const SCOPES = [
  'workspace:read',
  'workspace:read:own',
  'workspace:write',
  'workspace:write:own',
  'tasks:write',
  'tasks:write:own',
  'caps:write',
  'ops:read',
  'ops:write',
] as const;
export type Scope = (typeof SCOPES)[number];
