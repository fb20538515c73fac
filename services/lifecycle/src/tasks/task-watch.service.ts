import { InterruptTask } from '@reprise/contracts';
import { Injectable, Logger } from '@nestjs/common';
import { Effect, FactRunner } from '../commands/fact-runner';
import { LifecycleConfig } from '../lifecycle.config';
import { LifecycleMetrics } from '../metrics/lifecycle-metrics';
import { OneStatement } from '../transactions/one-statement';
import { announce, statusChanged } from '../workspaces/announcements';
import { LoadedWorkspace, WorkspacesRepository } from '../workspaces/workspaces.repository';
import { endOfTask } from './task-end';
import type { TaskEntity } from './task.entity';
import { type Attention, INTERRUPTS, attentionTo } from './task.rules';
import { TaskChange, TasksRepository } from './tasks.repository';

const DID = { resend: 'task_resent', interrupt: 'task_interrupted', end: 'task_timed_out' } as const;

type Which = Pick<TaskEntity, 'id' | 'workspace_id'>;

/**
 * Brings tasks to their end that nobody else does. One that is submitted and not delivered is sent again, with the same message id. One past its
 * deadline is interrupted, and again; whose agent still says nothing then has failed with the reason `timeout`, and its workspace is idle.
 */
@Injectable()
export class TaskWatch {
  private readonly logger = new Logger(TaskWatch.name);

  constructor(
    private readonly facts: FactRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly tasks: TasksRepository,
    private readonly config: LifecycleConfig,
    private readonly metrics: LifecycleMetrics,
  ) {}

  /** The tasks that need something. */
  overdue(now: Date, limit = 100): Promise<Which[]> {
    return this.tasks.overdue(now, limit);
  }

  /** Does for the task what it needs, decided anew under its lock: another replica may have done it. */
  async attend({ id, workspace_id: workspaceId }: Which): Promise<void> {
    let needed = null as Attention | null;
    await this.facts.apply(null, async (manager, now) => {
      needed = null;
      const workspace = await this.workspaces.lock(manager, workspaceId, null);
      const task = workspace && (await this.tasks.lock(manager, id));
      if (!workspace || !task) return null;
      needed = attentionTo(task, now);
      switch (needed) {
        case 'resend':
          return this.resend(task, now);
        case 'interrupt':
          return this.interrupt(task, now);
        case 'end':
          return this.end(task, workspace, now);
        case null:
          return null;
      }
    });
    if (needed !== null) this.metrics.watchdogDid(DID[needed]);
  }

  private resend(task: TaskEntity, now: Date): Effect {
    this.logger.warn(`Task ${task.id} is not delivered: it is sent again (${task.resends + 1})`);
    const change = { resends: task.resends + 1, resend_at: inSeconds(now, this.config.operationResendSeconds) };
    return { writes: this.written(task, change), messages: task.run_command ? [task.run_command] : [] };
  }

  private interrupt(task: TaskEntity, now: Date): Effect {
    this.logger.warn(`Task ${task.id} is past its deadline: it is interrupted (${task.interrupts + 1} of ${INTERRUPTS})`);
    const data: InterruptTask = {
      workspace_id: task.workspace_id,
      pod_generation: task.pod_generation,
      task_id: task.id,
      reason: 'timeout',
    };
    const change = { interrupts: task.interrupts + 1, deadline_at: inSeconds(now, this.config.taskGraceSeconds) };
    return { writes: this.written(task, change), messages: [announce(InterruptTask.type, data, aboutOf(task))] };
  }

  private end(task: TaskEntity, workspace: LoadedWorkspace, now: Date): Effect | null {
    const ended = endOfTask(task, workspace, { status: 'failed', reason: 'timeout', completedAt: now });
    if (!ended) return null;
    this.logger.error(`Task ${task.id} has failed: its agent says nothing of its end`);
    const writes = this.written(task, ended.task);
    if (Object.keys(ended.workspace).length > 0) writes.add('workspace', this.workspaces.update(workspace, ended.workspace, now), 1);
    const status = ended.workspace.status ?? workspace.status;
    return { writes, messages: [...ended.messages, ...statusChanged(workspace.status, status, workspace.generation, aboutOf(task))] };
  }

  private written(task: TaskEntity, change: TaskChange): OneStatement {
    return new OneStatement().add('task', this.tasks.update(task, change), 1);
  }
}

function aboutOf(task: TaskEntity) {
  return { orgId: task.org_id, workspaceId: task.workspace_id, actor: task.requested_by, correlationId: task.correlation_id };
}

function inSeconds(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000);
}
