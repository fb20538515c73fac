import { Controller, Get, Param, Query } from '@nestjs/common';
import { Requires } from '../auth/requires.decorator';
import { Answers } from '../docs/answers.decorator';
import { Ask, type Asking } from '../input/ask.decorator';
import { CallerGone } from '../waiting/caller-gone.decorator';
import { WaitQuery } from '../waiting/wait.query';
import { OperationsService } from './operations.service';

@Controller('v1/operations')
export class OperationsController {
  constructor(private readonly operations: OperationsService) {}

  @Get(':operation_id')
  @Requires('workspace:read')
  @Answers(200, 'Operation', {
    summary: 'Get an operation, or wait for its end',
    description: 'With `wait`, it answers as soon as the operation ends or the time is up, whichever is first; look at `status`.',
    refusals: ['operation_not_found'],
  })
  getOperation(
    @Ask() asking: Asking,
    @Param('operation_id') operationId: string,
    @Query() { wait }: WaitQuery,
    @CallerGone() gone: AbortSignal,
  ): Promise<unknown> {
    return this.operations.get(asking, operationId, wait * 1000, gone);
  }
}
