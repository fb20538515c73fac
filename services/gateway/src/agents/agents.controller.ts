import { Body, Controller, HttpCode, Param, Put, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RequiresPod } from '../auth/requires.decorator';
import { unauthenticated } from '../errors/api-error';
import { Nothing } from '../input/inputs-of';
import { ReportTaskBody } from './agents.input';
import { AgentsService } from './agents.service';

/** 512 Ki characters of output, each of which JSON may write in six. */
const REPORT_LIMIT = 4 * 1_048_576;

/** What the agents in pods call. It is no part of the public API. */
@Controller('v1/agent')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Put('tasks/:task_id')
  @HttpCode(200)
  @RequiresPod({ bodyLimit: REPORT_LIMIT })
  async report(
    @Req() { pod }: FastifyRequest,
    @Param('task_id') taskId: string,
    @Query() _query: Nothing,
    @Body() body: ReportTaskBody,
  ): Promise<{ status: 'received' }> {
    if (!pod) throw unauthenticated();
    await this.agents.report(pod, taskId, body);
    return { status: 'received' };
  }
}
