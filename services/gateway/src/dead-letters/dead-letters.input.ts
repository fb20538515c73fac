import { PickType } from '@nestjs/swagger';
import {
  DEAD_LETTER_STATUSES,
  DeadLetterFilter,
  type DeadLetterStatus,
  DiscardDeadLetter,
  DiscardDeadLetters,
  EditDeadLetter,
  EXAMPLE,
  FASTEST_REPLAY,
  Length,
  ReplayDeadLetters,
} from '@reprise/contracts';
import { Type } from 'class-transformer';
import { IsInt, IsNotEmptyObject, IsObject, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import { Describes } from '../docs/describes.decorator';
import { PageQuery } from '../input/page.query';
import { QueryChoice, QueryInteger, QueryText, QueryTime } from '../input/query.decorators';

const LONGEST = 255;

const FILTER = {
  ids: 'These letters.',
  type: 'Messages of this type.',
  queue: 'Messages that failed in this queue.',
  reason: 'Messages that failed for this reason: unparseable, invalid, no_handler, retries_exhausted, …',
  org_id: 'Messages of this org.',
  workspace_id: 'Messages about this workspace.',
  status: 'Letters in this status.',
  group: 'Letters of this group: those that failed for the same cause.',
  since: 'Last failed then or later.',
  until: 'Last failed before then.',
};
const REASON = 'Why; recorded for good.';

/** The filter in a query. */
export function filterOf(input: DeadLetterFilter): DeadLetterFilter {
  const fields = Object.keys(FILTER) as (keyof DeadLetterFilter)[];
  return Object.fromEntries(fields.flatMap((field) => (input[field] === undefined ? [] : [[field, input[field]]])));
}

@Describes<ListDeadLettersQuery>(FILTER)
export class ListDeadLettersQuery extends PageQuery {
  @QueryText(LONGEST)
  type?: string;

  @QueryText(LONGEST)
  queue?: string;

  @QueryText(LONGEST)
  reason?: string;

  @QueryText(LONGEST)
  org_id?: string;

  @QueryText(LONGEST)
  workspace_id?: string;

  @QueryChoice(DEAD_LETTER_STATUSES)
  status?: DeadLetterStatus;

  @QueryText(LONGEST)
  group?: string;

  @QueryTime()
  since?: string;

  @QueryTime()
  until?: string;
}

@Describes<ListGroupsQuery>({ ...FILTER, limit: 'How many groups, the largest first.' })
export class ListGroupsQuery extends PickType(ListDeadLettersQuery, [
  'type',
  'queue',
  'reason',
  'org_id',
  'workspace_id',
  'status',
  'group',
  'since',
  'until',
] as const) {
  @QueryInteger(1, 200)
  limit = 50;
}

Describes<DeadLetterFilter>(FILTER)(DeadLetterFilter);

const WHICH = 'Which letters: those that every given field fits. At least one is needed.';

@Describes<ReplayDeadLettersBody>(
  { filter: WHICH, rate_per_second: 'How many messages to send in a second at most.' },
  ReplayDeadLetters.example,
)
export class ReplayDeadLettersBody {
  @IsObject()
  @IsNotEmptyObject({ nullable: false }, { message: 'filter must have at least one field' })
  @ValidateNested()
  @Type(() => DeadLetterFilter)
  filter!: DeadLetterFilter;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(FASTEST_REPLAY)
  rate_per_second?: number;
}

@Describes<DiscardDeadLettersBody>({ filter: WHICH, reason: REASON }, DiscardDeadLetters.example)
export class DiscardDeadLettersBody {
  @IsObject()
  @IsNotEmptyObject({ nullable: false }, { message: 'filter must have at least one field' })
  @ValidateNested()
  @Type(() => DeadLetterFilter)
  filter!: DeadLetterFilter;

  @IsString()
  @Length(1, 1_000)
  reason!: string;
}

@Describes<DiscardDeadLetterBody>({ reason: REASON }, DiscardDeadLetter.example)
export class DiscardDeadLetterBody extends PickType(DiscardDeadLetter, ['reason'] as const) {}

@Describes<EditDeadLetterBody>(
  { data: 'The data of the new message.', reason: REASON },
  { data: { workspace_id: EXAMPLE.workspace }, reason: 'force was misspelt.' },
)
export class EditDeadLetterBody extends PickType(EditDeadLetter, ['data', 'reason'] as const) {}
