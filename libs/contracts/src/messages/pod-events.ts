import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString, Matches, MaxLength, Min, ValidateNested } from 'class-validator';
import { OPERATION_ERRORS, OperationErrorCode, STEPS, STEP_STATUSES, Step, StepStatus } from '../vocabulary';
import { EXAMPLE, IsTypeId } from './message';
import { IsCounter, IsTime } from './rules';

/** A snapshot's id, or where else a state comes from. */
const STATE_FROM = /^(salvage|empty|snap_[0-7][0-9a-hjkmnp-tv-z]{25})$/;

/** A fact about the job of one operation. */
abstract class JobEvent {
  @IsTypeId('operation')
  operation_id!: string;

  @IsTypeId('workspace')
  workspace_id!: string;

  /** The operation's generation. */
  @IsCounter()
  generation!: number;
}

/** A step that began. */
export class BegunStep {
  @IsIn(STEPS)
  step!: Step;

  /** Counts from 1. */
  @IsCounter()
  attempt!: number;
}

/** A step of a job began or ended; where the next began as it ended, both are told at once. May arrive late or twice; `at` is when it happened. */
export class PodStepChanged extends JobEvent {
  static readonly type = 'reprise.pod.step-changed.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = {
    operation_id: EXAMPLE.operation,
    workspace_id: EXAMPLE.workspace,
    generation: 2,
    step: 'quiesce',
    status: 'succeeded',
    attempt: 1,
    at: EXAMPLE.time,
    interrupted_task_id: EXAMPLE.task,
    next: { step: 'snapshot', attempt: 1 },
  };

  @IsIn(STEPS)
  step!: Step;

  @IsIn(STEP_STATUSES)
  status!: StepStatus;

  /** Counts from 1; a retried step begins again with the next number. */
  @IsCounter()
  attempt!: number;

  @IsTime()
  at!: string;

  @IsOptional()
  @IsString()
  @MaxLength(2000)
  detail?: string;

  /** In the end of `quiesce`: the task that it ended. */
  @IsOptional()
  @IsTypeId('task')
  interrupted_task_id?: string | null;

  /** With `interrupted_task_id`: what the task had printed. Absent where its agent does not tell. */
  @IsOptional()
  @IsString()
  @MaxLength(524_288)
  interrupted_task_output?: string;

  /** In the end of a step: the one that began at the same moment, or the same one's next attempt. No other event tells of that beginning. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => BegunStep)
  next?: BegunStep;
}

/** The job of a create, resume or restart is done: the pod of this generation is live and takes tasks. */
export class PodReady extends JobEvent {
  static readonly type = 'reprise.pod.ready.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = {
    operation_id: EXAMPLE.operation,
    workspace_id: EXAMPLE.workspace,
    generation: 2,
    role_version: 2,
    snapshot_id: EXAMPLE.snapshot,
    state_from: EXAMPLE.snapshot,
  };

  @IsCounter()
  role_version!: number;

  /** The workspace's last good snapshot, or null where there is none yet. */
  @IsOptional()
  @IsTypeId('snapshot')
  snapshot_id!: string | null;

  /** What the pod began from: a snapshot's id, `salvage` (what a lost pod left, saved first) or `empty`. */
  @IsOptional()
  @Matches(STATE_FROM)
  state_from?: string;

  /** Why the state is older than the end of the pod before: absent where it is not. */
  @IsOptional()
  @IsString()
  @MaxLength(2000)
  state_lost?: string;
}

/** The job of a stop is done: the snapshot stands and the pod is gone. After a stop without a snapshot the workspace keeps the one that it had. */
export class PodRemoved extends JobEvent {
  static readonly type = 'reprise.pod.removed.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = {
    operation_id: EXAMPLE.operation,
    workspace_id: EXAMPLE.workspace,
    generation: 3,
    snapshot_id: EXAMPLE.snapshot,
  };

  /** Null after a stop without a snapshot. */
  @IsOptional()
  @IsTypeId('snapshot')
  snapshot_id!: string | null;

  /** What was discarded, where that was asked for. */
  @IsOptional()
  @IsString()
  @MaxLength(2000)
  state_lost?: string;
}

/** A job ended without its goal. Where `pod_kept`, the older pod takes tasks as before; else no pod of the workspace does. */
export class PodJobFailed extends JobEvent {
  static readonly type = 'reprise.pod.job-failed.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = {
    operation_id: EXAMPLE.operation,
    workspace_id: EXAMPLE.workspace,
    generation: 2,
    pod_kept: true,
    step: 'snapshot',
    code: 'snapshot_failed',
    message: 'The snapshot store has no space left.',
    snapshot_id: null,
  };

  @IsBoolean()
  pod_kept!: boolean;

  @IsIn(STEPS)
  step!: Step;

  @IsIn(OPERATION_ERRORS)
  code!: OperationErrorCode;

  @IsString()
  @MaxLength(2000)
  message!: string;

  /** The workspace's last good snapshot as the job knows it: its own if it came so far. */
  @IsOptional()
  @IsTypeId('snapshot')
  snapshot_id!: string | null;
}

/** A live pod is gone without anyone having asked. `generation` is the pod's own. */
export class PodLost {
  static readonly type = 'reprise.pod.lost.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, pod_generation: 2, reason: 'The agent process is gone.' };

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsCounter()
  pod_generation!: number;

  @IsString()
  @MaxLength(2000)
  reason!: string;
}

/**
 * The machines know of a newer pod than the database: it was restored to an earlier state. Generations go on from this one. An operation in flight is of
 * the past, and fails.
 */
export class PodFenceFound {
  static readonly type = 'reprise.pod.fence-found.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, generation: 7 };

  @IsTypeId('workspace')
  workspace_id!: string;

  /** The newest that a pod was ever made of. */
  @IsCounter()
  generation!: number;
}

/** An operator put a snapshot of the store on record, as the newest of its workspace: its next resume begins from it. */
export class SnapshotAdopted {
  static readonly type = 'reprise.snapshot.adopted.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, snapshot_id: EXAMPLE.snapshot, taken_at: EXAMPLE.time };

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsTypeId('snapshot')
  snapshot_id!: string;

  /** When the store got it. */
  @IsTime()
  taken_at!: string;
}

/** A checkpoint of a live pod stands, verified: a resume begins from it should the pod be lost with its files. */
export class PodCheckpointed {
  static readonly type = 'reprise.pod.checkpointed.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = {
    workspace_id: EXAMPLE.workspace,
    pod_generation: 2,
    snapshot_id: EXAMPLE.snapshot,
    taken_at: EXAMPLE.time,
    in_background: 1,
  };

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsCounter()
  pod_generation!: number;

  @IsTypeId('snapshot')
  snapshot_id!: string;

  @IsTime()
  taken_at!: string;

  /** How many processes ran in the background, and were frozen: where any did, files may change without a task. */
  @IsInt()
  @Min(0)
  in_background!: number;
}

/** A checkpoint of a live pod failed; the pod goes on as before. Not told where the pod was busy, or was given a task meanwhile. */
export class PodCheckpointFailed {
  static readonly type = 'reprise.pod.checkpoint-failed.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, pod_generation: 2, message: 'The snapshot store has no space left.' };

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsCounter()
  pod_generation!: number;

  @IsString()
  @MaxLength(2000)
  message!: string;
}

abstract class PodTaskEvent {
  @IsTypeId('workspace')
  workspace_id!: string;

  @IsCounter()
  pod_generation!: number;

  @IsTypeId('task')
  task_id!: string;
}

/** The pod has the task. */
export class TaskDelivered extends PodTaskEvent {
  static readonly type = 'reprise.pod.task-delivered.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, pod_generation: 2, task_id: EXAMPLE.task };
}

/** The pod could not be given the task. */
export class TaskDeliveryFailed extends PodTaskEvent {
  static readonly type = 'reprise.pod.task-delivery-failed.v1';
  static readonly kind = 'event';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, pod_generation: 2, task_id: EXAMPLE.task, reason: 'pod_unreachable' };

  @IsString()
  @MaxLength(1024)
  reason!: string;
}

export const POD_EVENTS = [
  PodStepChanged,
  PodReady,
  PodRemoved,
  PodJobFailed,
  PodLost,
  PodFenceFound,
  SnapshotAdopted,
  PodCheckpointed,
  PodCheckpointFailed,
  TaskDelivered,
  TaskDeliveryFailed,
] as const;
