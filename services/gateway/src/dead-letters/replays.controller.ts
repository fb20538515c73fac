import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ControlReplay, GetReplay, ListReplays, ReplayDeadLetters } from '@reprise/contracts';
import { Requires } from '../auth/requires.decorator';
import { Answers } from '../docs/answers.decorator';
import { Ask, type Asking } from '../input/ask.decorator';
import { pageOf, PageQuery } from '../input/page.query';
import { ReplayDeadLettersBody } from './dead-letters.input';
import { Operators } from './operators.service';

@Controller('v1/ops/dead-letters/replays')
export class ReplaysController {
  constructor(private readonly operators: Operators) {}

  @Post()
  @Requires('ops:write')
  @Answers(202, 'Replay', {
    summary: 'Replay all dead letters that a filter fits',
    description: 'Those that wait for an operator: open, or failed again. At least one field of the filter is needed.',
    refusals: [],
  })
  replayDeadLetters(@Ask() asking: Asking, @Body() body: ReplayDeadLettersBody): Promise<unknown> {
    return this.operators.ask(ReplayDeadLetters, asking, body);
  }

  @Get()
  @Requires('ops:read')
  @Answers(200, 'ReplayPage', { summary: 'List replays', description: 'Newest first.', refusals: [] })
  listReplays(@Ask() asking: Asking, @Query() query: PageQuery): Promise<unknown> {
    return this.operators.ask(ListReplays, asking, pageOf(query));
  }

  @Get(':replay_id')
  @Requires('ops:read')
  @Answers(200, 'Replay', { summary: 'See how far a replay is', refusals: ['replay_not_found'] })
  getReplay(@Ask() asking: Asking, @Param('replay_id') replay_id: string): Promise<unknown> {
    return this.operators.ask(GetReplay, asking, { replay_id });
  }

  @Post(':replay_id/pause')
  @Requires('ops:write')
  @Answers(200, 'Replay', { summary: 'Pause a replay', refusals: ['replay_not_found', 'replay_ended'] })
  pauseReplay(@Ask() asking: Asking, @Param('replay_id') replay_id: string): Promise<unknown> {
    return this.operators.ask(ControlReplay, asking, { replay_id, action: 'pause' });
  }

  @Post(':replay_id/resume')
  @Requires('ops:write')
  @Answers(200, 'Replay', { summary: 'Let a paused replay go on', refusals: ['replay_not_found', 'replay_ended'] })
  resumeReplay(@Ask() asking: Asking, @Param('replay_id') replay_id: string): Promise<unknown> {
    return this.operators.ask(ControlReplay, asking, { replay_id, action: 'resume' });
  }

  @Post(':replay_id/cancel')
  @Requires('ops:write')
  @Answers(200, 'Replay', {
    summary: 'End a replay early',
    description: 'What is sent is sent; the other letters wait for an operator again.',
    refusals: ['replay_not_found', 'replay_ended'],
  })
  cancelReplay(@Ask() asking: Asking, @Param('replay_id') replay_id: string): Promise<unknown> {
    return this.operators.ask(ControlReplay, asking, { replay_id, action: 'cancel' });
  }
}
