import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import {
  DiscardDeadLetter,
  DiscardDeadLetters,
  EditDeadLetter,
  GetDeadLetter,
  ListDeadLetterGroups,
  ListDeadLetters,
  ReplayDeadLetter,
} from '@reprise/contracts';
import { Requires } from '../auth/requires.decorator';
import { Answers } from '../docs/answers.decorator';
import { Ask, type Asking } from '../input/ask.decorator';
import { pageOf } from '../input/page.query';
import {
  DiscardDeadLetterBody,
  DiscardDeadLettersBody,
  EditDeadLetterBody,
  filterOf,
  ListDeadLettersQuery,
  ListGroupsQuery,
} from './dead-letters.input';
import { Operators } from './operators.service';

@Controller('v1/ops/dead-letters')
export class DeadLettersController {
  constructor(private readonly operators: Operators) {}

  @Get()
  @Requires('ops:read')
  @Answers(200, 'DeadLetterPage', { summary: 'List dead letters', description: 'Of all tenants, newest first.', refusals: [] })
  listDeadLetters(@Ask() asking: Asking, @Query() query: ListDeadLettersQuery): Promise<unknown> {
    return this.operators.ask(ListDeadLetters, asking, { ...pageOf(query), filter: filterOf(query) });
  }

  @Get('groups')
  @Requires('ops:read')
  @Answers(200, 'DeadLetterGroups', {
    summary: 'Group dead letters by what failed',
    description: 'Type, queue, reason, and the exception without ids, times and numbers; the largest group first.',
    refusals: [],
  })
  listDeadLetterGroups(@Ask() asking: Asking, @Query() query: ListGroupsQuery): Promise<unknown> {
    return this.operators.ask(ListDeadLetterGroups, asking, { limit: query.limit, filter: filterOf(query) });
  }

  @Post('discard')
  @Requires('ops:write')
  @Answers(200, 'Discarded', {
    summary: 'Give up all dead letters that a filter fits',
    description: 'At least one field of the filter is needed. The letters stay, as discarded.',
    refusals: [],
  })
  discardDeadLetters(@Ask() asking: Asking, @Body() { filter, reason }: DiscardDeadLettersBody): Promise<unknown> {
    return this.operators.ask(DiscardDeadLetters, asking, { filter, reason });
  }

  @Get(':dead_letter_id')
  @Requires('ops:read')
  @Answers(200, 'DeadLetterWhole', {
    summary: 'Get a dead letter whole',
    description: 'With its stack, its headers, its body as it was received, and what was done to it.',
    refusals: ['dead_letter_not_found'],
  })
  getDeadLetter(@Ask() asking: Asking, @Param('dead_letter_id') dead_letter_id: string): Promise<unknown> {
    return this.operators.ask(GetDeadLetter, asking, { dead_letter_id });
  }

  @Post(':dead_letter_id/replay')
  @Requires('ops:write')
  @Answers(202, 'Replay', {
    summary: 'Replay a dead letter',
    description: 'Sends it back to the queue that failed, with its message id: what was applied before is not applied twice.',
    refusals: ['dead_letter_not_found', 'dead_letter_settled'],
  })
  replayDeadLetter(@Ask() asking: Asking, @Param('dead_letter_id') dead_letter_id: string): Promise<unknown> {
    return this.operators.ask(ReplayDeadLetter, asking, { dead_letter_id });
  }

  @Post(':dead_letter_id/discard')
  @Requires('ops:write')
  @Answers(200, 'DeadLetter', { summary: 'Give up a dead letter', refusals: ['dead_letter_not_found', 'dead_letter_settled'] })
  discardDeadLetter(
    @Ask() asking: Asking,
    @Param('dead_letter_id') dead_letter_id: string,
    @Body() { reason }: DiscardDeadLetterBody,
  ): Promise<unknown> {
    return this.operators.ask(DiscardDeadLetter, asking, { dead_letter_id, reason });
  }

  @Post(':dead_letter_id/edit')
  @Requires('ops:write')
  @Answers(202, 'Replay', {
    summary: 'Replay a dead letter with other data',
    description:
      'Off by default. A new message with a new id is sent, in the name of the caller; the old letter is discarded and linked to it.',
    refusals: ['editing_disabled', 'dead_letter_not_found', 'dead_letter_settled'],
  })
  editDeadLetter(
    @Ask() asking: Asking,
    @Param('dead_letter_id') dead_letter_id: string,
    @Body() { data, reason }: EditDeadLetterBody,
  ): Promise<unknown> {
    return this.operators.ask(EditDeadLetter, asking, { dead_letter_id, data, reason });
  }
}
