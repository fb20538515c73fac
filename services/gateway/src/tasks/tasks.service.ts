import { Injectable } from '@nestjs/common';
import { GetTask, type TaskStatus, type TaskView } from '@reprise/contracts';
import { Lifecycle } from '../commands/lifecycle.service';
import type { Asking } from '../input/ask.decorator';
import { Waiting } from '../waiting/waiting.service';

const ENDED: readonly TaskStatus[] = ['completed', 'failed', 'cancelled', 'delivery_failed'];

/** A task, and waiting for its end. */
@Injectable()
export class TasksService {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly waiting: Waiting,
  ) {}

  /**
   * The task as it is when it ends, when `waitMs` are over, or when the caller has gone, whichever is first.
   * @throws ApiError
   */
  get(asking: Asking, named: { workspace_id: string; task_id: string }, waitMs: number, gone: AbortSignal): Promise<TaskView> {
    const look = (): Promise<TaskView> => this.lifecycle.query<GetTask, TaskView>(GetTask, asking, named);
    return this.waiting.until({ id: named.task_id, asking, look, isEnded }, waitMs, gone);
  }
}

function isEnded({ status }: TaskView): boolean {
  return ENDED.includes(status);
}
