import { IsInt, Max, Min } from 'class-validator';

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

export const OPERATOR_COMMANDS = [ResendOperations] as const;
