import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { DEAD_LETTER_STATUSES, type DeadLetterStatus, REPLAY_ACTIONS, type ReplayAction } from '../vocabulary';
import { EXAMPLE, Idempotency, IsTypeId } from './message';
import { LONGEST_REASON } from './operator-commands';
import { IsJsonMap, IsTime, Length } from './rules';

const LONGEST = 255;
/** In UTF-16 units. */
export const LONGEST_DEATH_MESSAGE = 2_000;
/** How many messages a replay may send in a second at most. */
export const FASTEST_REPLAY = 10_000;
/** Of the data of an edited message. It travels within a command, which has a few values more. */
const EDITED_SIZE = { depth: 60, values: 9_900 } as const;

/** Which dead letters: all that every given field fits. Ids are plain text: one of the wrong form fits nothing. */
export class DeadLetterFilter {
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1_000)
  @IsString({ each: true })
  @Length(0, LONGEST, { each: true })
  ids?: string[];

  @IsOptional()
  @IsString()
  @Length(0, LONGEST)
  type?: string;

  @IsOptional()
  @IsString()
  @Length(0, LONGEST)
  queue?: string;

  @IsOptional()
  @IsString()
  @Length(0, LONGEST)
  reason?: string;

  @IsOptional()
  @IsString()
  @Length(0, LONGEST)
  org_id?: string;

  @IsOptional()
  @IsString()
  @Length(0, LONGEST)
  workspace_id?: string;

  @IsOptional()
  @IsIn(DEAD_LETTER_STATUSES)
  status?: DeadLetterStatus;

  /** The fingerprint that a group shares. */
  @IsOptional()
  @IsString()
  @Length(0, LONGEST)
  group?: string;

  /** Last failed at this time or later. */
  @IsOptional()
  @IsTime()
  since?: string;

  /** Last failed before this time. */
  @IsOptional()
  @IsTime()
  until?: string;
}

abstract class Filtered {
  @IsObject()
  @ValidateNested()
  @Type(() => DeadLetterFilter)
  filter!: DeadLetterFilter;
}

abstract class Paged {
  @IsInt()
  @Min(1)
  @Max(200)
  limit!: number;

  @IsOptional()
  @IsString()
  @Length(1, 512)
  cursor?: string;
}

/** Answers `{ dead_letters: DeadLetterView[], cursor? }`, newest first. */
export class ListDeadLetters extends Paged {
  static readonly type = 'reprise.deadletter.list.v1';
  static readonly kind = 'query';
  static readonly consumer = 'deadletters';
  static readonly example = { filter: { queue: 'lifecycle.commands', status: 'open' }, limit: 50 };

  @IsObject()
  @ValidateNested()
  @Type(() => DeadLetterFilter)
  filter!: DeadLetterFilter;
}

/** Answers `{ groups: DeadLetterGroupView[] }`, those with most letters first. */
export class ListDeadLetterGroups extends Filtered {
  static readonly type = 'reprise.deadletter.groups.v1';
  static readonly kind = 'query';
  static readonly consumer = 'deadletters';
  static readonly example = { filter: { status: 'open' }, limit: 50 };

  @IsInt()
  @Min(1)
  @Max(200)
  limit!: number;
}

/** Answers `DeadLetterWhole`, or the refusal `dead_letter_not_found`. */
export class GetDeadLetter {
  static readonly type = 'reprise.deadletter.get.v1';
  static readonly kind = 'query';
  static readonly consumer = 'deadletters';
  static readonly example = { dead_letter_id: EXAMPLE.dead_letter };

  @IsString()
  @Length(0, LONGEST)
  dead_letter_id!: string;
}

/** Answers `{ replays: ReplayView[], cursor? }`, newest first. */
export class ListReplays extends Paged {
  static readonly type = 'reprise.replay.list.v1';
  static readonly kind = 'query';
  static readonly consumer = 'deadletters';
  static readonly example = { limit: 50 };
}

/** Answers `ReplayView`, or the refusal `replay_not_found`. */
export class GetReplay {
  static readonly type = 'reprise.replay.get.v1';
  static readonly kind = 'query';
  static readonly consumer = 'deadletters';
  static readonly example = { replay_id: EXAMPLE.replay };

  @IsString()
  @Length(0, LONGEST)
  replay_id!: string;
}

/** What every command of an operator may carry; who the operator is stands in the message's actor. */
abstract class OperatorCommand {
  @IsOptional()
  @ValidateNested()
  @Type(() => Idempotency)
  idempotency?: Idempotency;
}

/** Sends the letters back to the queues that failed. Answers `ReplayView`; refused with `validation_error` where the filter says nothing. */
export class ReplayDeadLetters extends OperatorCommand {
  static readonly type = 'reprise.deadletter.replay.v1';
  static readonly kind = 'command';
  static readonly consumer = 'deadletters';
  static readonly example = { filter: { group: '3f9a1c5be0d27e44' }, rate_per_second: 100 };

  @IsObject()
  @ValidateNested()
  @Type(() => DeadLetterFilter)
  filter!: DeadLetterFilter;

  /** By default what the service is configured with. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(FASTEST_REPLAY)
  rate_per_second?: number;
}

/** Sends one letter back. Answers `ReplayView`; refused with `dead_letter_not_found`, `dead_letter_settled`. */
export class ReplayDeadLetter extends OperatorCommand {
  static readonly type = 'reprise.deadletter.replay-one.v1';
  static readonly kind = 'command';
  static readonly consumer = 'deadletters';
  static readonly example = { dead_letter_id: EXAMPLE.dead_letter };

  @IsString()
  @Length(0, LONGEST)
  dead_letter_id!: string;
}

/** Gives the letters up, for a reason. Answers `{ discarded: number }`. */
export class DiscardDeadLetters extends OperatorCommand {
  static readonly type = 'reprise.deadletter.discard.v1';
  static readonly kind = 'command';
  static readonly consumer = 'deadletters';
  static readonly example = { filter: { type: 'reprise.workspace.restart.v1', reason: 'unparseable' }, reason: 'A publisher’s test run.' };

  @IsObject()
  @ValidateNested()
  @Type(() => DeadLetterFilter)
  filter!: DeadLetterFilter;

  @IsString()
  @Length(1, LONGEST_REASON)
  reason!: string;
}

/** Gives one letter up. Answers `DeadLetterView`; refused with `dead_letter_not_found`, `dead_letter_settled`. */
export class DiscardDeadLetter extends OperatorCommand {
  static readonly type = 'reprise.deadletter.discard-one.v1';
  static readonly kind = 'command';
  static readonly consumer = 'deadletters';
  static readonly example = { dead_letter_id: EXAMPLE.dead_letter, reason: 'Its workspace is gone.' };

  @IsString()
  @Length(0, LONGEST)
  dead_letter_id!: string;

  @IsString()
  @Length(1, LONGEST_REASON)
  reason!: string;
}

/**
 * Replays the letter with other data: a new message with a new id, linked to the old letter, which is discarded. Answers `ReplayView`; refused
 * with `editing_disabled`, `dead_letter_not_found`, `dead_letter_settled`.
 */
export class EditDeadLetter extends OperatorCommand {
  static readonly type = 'reprise.deadletter.edit.v1';
  static readonly kind = 'command';
  static readonly consumer = 'deadletters';
  static readonly example = {
    dead_letter_id: EXAMPLE.dead_letter,
    data: { workspace_id: EXAMPLE.workspace },
    reason: 'force was misspelt.',
  };

  @IsString()
  @Length(0, LONGEST)
  dead_letter_id!: string;

  @IsObject()
  @IsJsonMap(EDITED_SIZE)
  data!: Record<string, unknown>;

  @IsString()
  @Length(1, LONGEST_REASON)
  reason!: string;
}

/** Pauses a replay, lets it go on, or ends it early. Answers `ReplayView`; refused with `replay_not_found`, `replay_ended`. */
export class ControlReplay extends OperatorCommand {
  static readonly type = 'reprise.replay.control.v1';
  static readonly kind = 'command';
  static readonly consumer = 'deadletters';
  static readonly example = { replay_id: EXAMPLE.replay, action: 'pause' };

  @IsString()
  @Length(0, LONGEST)
  replay_id!: string;

  @IsIn(REPLAY_ACTIONS)
  action!: ReplayAction;
}

/**
 * A command that an internal service may send could not be handled: it is a dead letter, and nothing else comes of it until an operator sends it again.
 * Told as often as it dies.
 */
export class CommandDead {
  static readonly type = 'reprise.command.dead.v1';
  static readonly kind = 'event';
  static readonly consumer = null;
  static readonly example = {
    command_id: EXAMPLE.message,
    command_type: 'reprise.workspace.restart.v1',
    dead_letter_id: EXAMPLE.dead_letter,
    reason: 'invalid',
    message: 'workspace_id must be a workspace id',
  };

  /** The `message-id`; null where it had none. */
  @IsOptional()
  @IsString()
  command_id!: string | null;

  @IsOptional()
  @IsString()
  command_type!: string | null;

  @IsTypeId('dead_letter')
  dead_letter_id!: string;

  /** Such as `invalid`, `forbidden` or `attempts_exhausted`. */
  @IsString()
  reason!: string;

  @IsOptional()
  @IsString()
  @Length(0, LONGEST_DEATH_MESSAGE)
  message!: string | null;
}

export const DEAD_LETTER_MESSAGES = [
  ListDeadLetters,
  ListDeadLetterGroups,
  GetDeadLetter,
  ListReplays,
  GetReplay,
  ReplayDeadLetters,
  ReplayDeadLetter,
  DiscardDeadLetters,
  DiscardDeadLetter,
  EditDeadLetter,
  ControlReplay,
  CommandDead,
] as const;
