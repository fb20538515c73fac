import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { CancelTask, ListTasks, LONGEST_DESCRIPTION, SubmitTask } from '@reprise/contracts';
import { Requires } from '../auth/requires.decorator';
import { Lifecycle } from '../commands/lifecycle.service';
import { Answers } from '../docs/answers.decorator';
import { Ask, type Asking } from '../input/ask.decorator';
import { pageOf, PageQuery } from '../input/page.query';
import { CallerGone } from '../waiting/caller-gone.decorator';
import { WaitQuery } from '../waiting/wait.query';
import { SubmitTaskBody } from './tasks.input';
import { TasksService } from './tasks.service';

/** A description at its limit fits, however it is escaped: JSON may write a character in twelve bytes, as two halves of a pair. */
const TASK_LIMIT = LONGEST_DESCRIPTION * 12 + 4_096;

@Controller('v1/workspaces/:workspace_id')
export class TasksController {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly tasks: TasksService,
  ) {}

  @Post('tasks')
  @Requires('tasks:write', { adds: true, bodyLimit: TASK_LIMIT })
  @Answers(202, 'TaskSubmitted', {
    summary: 'Submit a task to an idle workspace',
    description: 'The body may be larger than 1 MiB: a description at its limit fits, however it is escaped.',
    refusals: ['workspace_not_found', 'workspace_archived', 'workspace_busy', 'invalid_state'],
  })
  submitTask(@Ask() asking: Asking, @Param('workspace_id') workspace_id: string, @Body() body: SubmitTaskBody): Promise<unknown> {
    return this.lifecycle.command(SubmitTask, asking, { workspace_id, ...body });
  }

  @Get('tasks')
  @Requires('workspace:read')
  @Answers(200, 'TaskPage', {
    summary: 'List the tasks of a workspace, newest first',
    description: 'Without their output, and with the beginning of a long text; both are read with the task itself.',
    refusals: ['workspace_not_found'],
  })
  listTasks(@Ask() asking: Asking, @Param('workspace_id') workspace_id: string, @Query() query: PageQuery): Promise<unknown> {
    return this.lifecycle.query(ListTasks, asking, { workspace_id, ...pageOf(query) });
  }

  @Get('tasks/:task_id')
  @Requires('workspace:read')
  @Answers(200, 'Task', {
    summary: 'Get a task, or wait for its end',
    description: 'With `wait`, it answers as soon as the task ends or the time is up, whichever is first; look at `status`.',
    refusals: ['workspace_not_found', 'task_not_found'],
  })
  getTask(
    @Ask() asking: Asking,
    @Param('workspace_id') workspace_id: string,
    @Param('task_id') task_id: string,
    @Query() { wait }: WaitQuery,
    @CallerGone() gone: AbortSignal,
  ): Promise<unknown> {
    return this.tasks.get(asking, { workspace_id, task_id }, wait * 1000, gone);
  }

  @Post('task/cancel')
  @Requires('workspace:write')
  @Answers(202, 'TaskCancelling', {
    summary: 'Cancel the task that is running',
    refusals: ['workspace_not_found', 'workspace_archived', 'invalid_state'],
  })
  cancelTask(@Ask() asking: Asking, @Param('workspace_id') workspace_id: string): Promise<unknown> {
    return this.lifecycle.command(CancelTask, asking, { workspace_id });
  }
}
