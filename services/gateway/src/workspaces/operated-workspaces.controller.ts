import { Body, Controller, Param, Post } from '@nestjs/common';
import { StopWithoutSnapshot } from '@reprise/contracts';
import { Requires } from '../auth/requires.decorator';
import { Lifecycle } from '../commands/lifecycle.service';
import { Answers } from '../docs/answers.decorator';
import { Ask, type Asking } from '../input/ask.decorator';
import { StopWithoutSnapshotBody } from './workspaces.input';

/** What operators may do to a workspace of any tenant. */
@Controller('v1/ops/workspaces')
export class OperatedWorkspacesController {
  constructor(private readonly lifecycle: Lifecycle) {}

  @Post(':workspace_id/stop')
  @Requires('ops:write')
  @Answers(202, 'Stopping', {
    summary: 'Stop a workspace without saving it',
    description:
      'For one whose state cannot be saved: idle, busy or failed, of any tenant. Its pods are removed, and what they hold since the last snapshot is discarded.',
    refusals: ['workspace_not_found', 'workspace_archived', 'invalid_state'],
  })
  stopWithoutSnapshot(
    @Ask() asking: Asking,
    @Param('workspace_id') workspace_id: string,
    @Body() { reason }: StopWithoutSnapshotBody,
  ): Promise<unknown> {
    return this.lifecycle.command(StopWithoutSnapshot, asking, { workspace_id, reason });
  }
}
