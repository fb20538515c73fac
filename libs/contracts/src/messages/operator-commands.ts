import { IsInt, IsString, Max, Min } from 'class-validator';
import { EXAMPLE, IsTypeId, LifecycleCommand } from './message';
import { Length } from './rules';

/** Of an operator's reason, in characters. */
export const LONGEST_REASON = 1_000;

/**
 * Sends the commands of operations in flight to the provisioner again at the next look of the watchdog, with their first message ids, instead of when
 * each has been quiet for long enough. Safe at any time: a command that the provisioner has is the same command. Answers `{ operations: number }`.
 */
export class ResendOperations {
  static readonly type = 'reprise.operation.resend.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { limit: 1000 };

  /** How many at most, the oldest first. */
  @IsInt()
  @Min(1)
  @Max(10_000)
  limit!: number;
}

/**
 * Stops a workspace whose state cannot be saved, of any tenant: its pods are ended and removed, and what they hold since the last snapshot is discarded.
 * For an idle, busy or failed workspace. Answers `{ status: 'stopping', operation_id }`; refused with `workspace_not_found`, `workspace_archived`,
 * `invalid_state`. The audit log of the workspace's tenant has who it was and why.
 */
export class StopWithoutSnapshot extends LifecycleCommand {
  static readonly type = 'reprise.workspace.stop-without-snapshot.v1';
  static readonly kind = 'command';
  static readonly consumer = 'lifecycle';
  static readonly example = { workspace_id: EXAMPLE.workspace, reason: 'A process of a task cannot be stopped.' };

  @IsTypeId('workspace')
  workspace_id!: string;

  /** Why; recorded for good. */
  @IsString()
  @Length(1, LONGEST_REASON)
  reason!: string;
}

/**
 * Puts an object of the snapshot store, which no snapshot on record has, on record as the newest snapshot of its workspace: after the database was restored
 * to an earlier state. The whole of it is read and checked first. Only of a workspace without a pod and without an operation under way. Safe to repeat.
 * Answers `AdoptionResult`.
 */
export class AdoptSnapshot {
  static readonly type = 'reprise.snapshot.adopt.v1';
  static readonly kind = 'command';
  static readonly consumer = 'provisioner';
  static readonly example = { key: `${EXAMPLE.workspace}/${EXAMPLE.snapshot}.1.tar.br` };

  /** As `reprise.snapshot.unrecorded.v1` told it. */
  @IsString()
  @Length(1, 512)
  key!: string;
}

export const OPERATOR_COMMANDS = [ResendOperations, StopWithoutSnapshot, AdoptSnapshot] as const;
