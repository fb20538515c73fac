import { IsBoolean, IsIn, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import { ERROR_CODES, ErrorCode } from '../errors';
import {
  OPERATION_ERRORS,
  OPERATION_KINDS,
  OperationErrorCode,
  OperationKind,
  TASK_STATUSES,
  TaskStatus,
  WORKSPACE_STATUSES,
  WorkspaceStatus,
} from '../vocabulary';
import { EXAMPLE, IsTypeId } from './message';
import { IsCounter, IsTime } from './rules';

/** A command that came without `reply-to` was accepted. `answer` is what the gateway's caller would have got. */
export class CommandAccepted {
  static readonly type = 'reprise.command.accepted.v1';
  static readonly kind = 'event';
  static readonly consumer = null;
  static readonly example = {
    command_id: EXAMPLE.message,
    command_type: 'reprise.workspace.restart.v1',
    answer: { status: 'restarting', operation_id: EXAMPLE.operation },
  };

  @IsString()
  command_id!: string;

  @IsString()
  command_type!: string;

  @IsObject()
  answer!: Record<string, unknown>;
}

/** A command that came without `reply-to` was refused; nothing changed. */
export class CommandRefused {
  static readonly type = 'reprise.command.refused.v1';
  static readonly kind = 'event';
  static readonly consumer = null;
  static readonly example = {
    command_id: EXAMPLE.message,
    command_type: 'reprise.workspace.restart.v1',
    code: 'workspace_busy',
    message: 'The workspace is running a task; wait for it, cancel it, or use force where the command has it.',
    details: { task_id: EXAMPLE.task },
  };

  @IsString()
  command_id!: string;

  @IsString()
  command_type!: string;

  @IsIn(Object.keys(ERROR_CODES))
  code!: ErrorCode;

  @IsString()
  message!: string;

  @IsOptional()
  @IsObject()
  details?: Record<string, unknown>;
}

abstract class OperationEvent {
  @IsTypeId('operation')
  operation_id!: string;

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsIn(OPERATION_KINDS)
  kind!: OperationKind;

  @IsCounter()
  generation!: number;

  @IsTime()
  finished_at!: string;
}

const EXAMPLE_OPERATION = {
  operation_id: EXAMPLE.operation,
  workspace_id: EXAMPLE.workspace,
  kind: 'restart',
  generation: 2,
  finished_at: EXAMPLE.time,
};

/** An operation reached its goal. Told of every operation, however it was asked for. */
export class OperationSucceeded extends OperationEvent {
  static readonly type = 'reprise.operation.succeeded.v1';
  static readonly kind = 'event';
  static readonly consumer = 'gateway';
  static readonly example = { ...EXAMPLE_OPERATION, snapshot_id: EXAMPLE.snapshot, state_from: EXAMPLE.snapshot };

  @IsOptional()
  @IsTypeId('snapshot')
  snapshot_id!: string | null;

  /** What the new pod began from: a snapshot's id, `salvage` or `empty`. Absent where the operation made no pod. */
  @IsOptional()
  @IsString()
  state_from?: string;
}

/** An operation ended without reaching its goal. */
export class OperationFailed extends OperationEvent {
  static readonly type = 'reprise.operation.failed.v1';
  static readonly kind = 'event';
  static readonly consumer = 'gateway';
  static readonly example = {
    ...EXAMPLE_OPERATION,
    code: 'snapshot_failed',
    message: 'The snapshot store has no space left.',
    pod_kept: true,
  };

  @IsIn(OPERATION_ERRORS)
  code!: OperationErrorCode;

  @IsString()
  message!: string;

  /** Whether the workspace goes on with the pod that it had. */
  @IsBoolean()
  pod_kept!: boolean;
}

/** A workspace's status changed. */
export class WorkspaceStatusChanged {
  static readonly type = 'reprise.workspace.status-changed.v1';
  static readonly kind = 'event';
  static readonly consumer = null;
  static readonly example = { workspace_id: EXAMPLE.workspace, previous: 'stopping', status: 'provisioning', generation: 2 };

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsOptional()
  @IsIn(WORKSPACE_STATUSES)
  previous!: WorkspaceStatus | null;

  @IsIn(WORKSPACE_STATUSES)
  status!: WorkspaceStatus;

  @IsCounter()
  generation!: number;
}

/** In UTF-16 units. */
export const LONGEST_OUTPUT_TAIL = 4_096;

/** A task ended. */
export class TaskEnded {
  static readonly type = 'reprise.task.ended.v1';
  static readonly kind = 'event';
  static readonly consumer = 'gateway';
  static readonly example = {
    task_id: EXAMPLE.task,
    workspace_id: EXAMPLE.workspace,
    status: 'completed',
    reason: null,
    output_tail: '3 files changed\n',
  };

  @IsTypeId('task')
  task_id!: string;

  @IsTypeId('workspace')
  workspace_id!: string;

  @IsIn(TASK_STATUSES)
  status!: TaskStatus;

  @IsOptional()
  @IsString()
  reason!: string | null;

  /** The end of what it printed, as far as that is on record: its last characters. The task itself has more. Null where it printed nothing. */
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_OUTPUT_TAIL)
  output_tail?: string | null;
}

export const LIFECYCLE_EVENTS = [
  CommandAccepted,
  CommandRefused,
  OperationSucceeded,
  OperationFailed,
  WorkspaceStatusChanged,
  TaskEnded,
] as const;
