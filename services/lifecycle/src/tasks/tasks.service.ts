import {
  CancelTask,
  GetTask,
  InterruptTask,
  ListTasks,
  ReportTask,
  RunTask,
  SubmitTask,
  TaskDelivered,
  TaskDeliveryFailed,
  TaskStatus,
  TaskSummary,
  TaskView,
  newId,
} from '@reprise/contracts';
import { RefusedError } from '@reprise/messaging';
import { currentContext } from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Command, Fact } from '../commands/command';
import { CommandRunner } from '../commands/command-runner';
import { idOfCursor, pageOf } from '../commands/cursor.rules';
import { Effect, FactRunner } from '../commands/fact-runner';
import { NOT_VISIBLE, mayTouch, notCreator, notFound } from '../commands/visibility.rules';
import { LifecycleConfig } from '../lifecycle.config';
import { mustBePlausible } from '../operations/plausible-generation';
import { OneStatement } from '../transactions/one-statement';
import { announce, statusChanged } from '../workspaces/announcements';
import { decide } from '../workspaces/workspace.rules';
import { stateOf } from '../workspaces/workspace.state';
import { LoadedWorkspace, WorkspacesRepository } from '../workspaces/workspaces.repository';
import { endOfTask } from './task-end';
import type { TaskEntity } from './task.entity';
import { afterFact, endOfReport } from './task.rules';
import { taskSummary, taskView } from './task.view';
import { TaskChange, TasksRepository } from './tasks.repository';

/** The use cases of tasks. */
@Injectable()
export class TasksService {
  constructor(
    private readonly runner: CommandRunner,
    private readonly facts: FactRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly tasks: TasksRepository,
    private readonly config: LifecycleConfig,
  ) {}

  submit(command: Command<SubmitTask>): Promise<{ task_id: string; workspace_id: string; status: 'submitted' }> {
    return this.runner.run(command, async (manager, now) => {
      const workspace = await this.load(manager, command, 'tasks:write');
      const decision = decide(stateOf(workspace), { kind: 'submit_task' });
      if (!decision.accepted) throw new RefusedError(decision.refusal);
      const task = {
        id: newId('task'),
        org_id: command.orgId,
        workspace_id: workspace.id,
        pod_generation: podOf(workspace),
        description: command.data.description,
        status: 'submitted' as const,
        output: null,
        reason: null,
        requested_by: command.actor,
        correlation_id: command.correlationId,
        created_at: now,
        started_at: null,
        completed_at: null,
        timeout_seconds: workspace.role.task_timeout_seconds,
        deadline_at: inSeconds(now, this.config.operationDeadlineSeconds),
        resend_at: inSeconds(now, this.config.operationResendSeconds),
        resends: 0,
        interrupts: 0,
      };
      const about = { orgId: command.orgId, workspaceId: workspace.id, actor: command.actor, correlationId: command.correlationId };
      const run: RunTask = {
        workspace_id: workspace.id,
        pod_generation: task.pod_generation,
        task_id: task.id,
        description: task.description,
        timeout_seconds: task.timeout_seconds,
      };
      // It is kept with the task, and sent again from there by who knows nothing of the trace.
      const runCommand = { ...announce(RunTask.type, run, about), traceparent: currentContext().traceparent ?? null };
      return {
        reply: { task_id: task.id, workspace_id: workspace.id, status: task.status },
        writes: new OneStatement()
          .add('workspace', this.workspaces.update(workspace, { status: decision.status, running_task_id: task.id }, now), 1)
          .add('task', this.tasks.insert({ ...task, run_command: runCommand }), 1),
        messages: [runCommand, ...statusChanged(workspace.status, decision.status, workspace.generation, about)],
        audit: { subject: workspace.id, detail: { task_id: task.id } },
      };
    });
  }

  cancel(command: Command<CancelTask>): Promise<{ status: 'cancelling'; task_id: string }> {
    return this.runner.run(command, async (manager) => {
      const workspace = await this.load(manager, command, 'workspace:write');
      const decision = decide(stateOf(workspace), { kind: 'cancel_task' });
      if (!decision.accepted) throw new RefusedError(decision.refusal);
      const taskId = workspace.running_task_id ?? '';
      const interrupt: InterruptTask = {
        workspace_id: workspace.id,
        pod_generation: podOf(workspace),
        task_id: taskId,
        reason: 'cancelled_by_user',
      };
      const about = { orgId: command.orgId, workspaceId: workspace.id, actor: command.actor, correlationId: command.correlationId };
      return {
        reply: { status: 'cancelling' as const, task_id: taskId },
        writes: new OneStatement(),
        messages: [announce(InterruptTask.type, interrupt, about)],
        audit: { subject: workspace.id, detail: { task_id: taskId } },
      };
    });
  }

  /**
   * What the agent says. A report of a pod older than the one that the task was given to changes nothing.
   * @returns the task's status after it
   * @throws RefusedError `task_not_found`
   */
  async report(fact: Fact<ReportTask>): Promise<{ status: TaskStatus }> {
    const { data } = fact;
    let status: TaskStatus | null = null;
    await this.facts.apply(fact, async (manager, now) => {
      const loaded = await this.loadTask(manager, data);
      if (!loaded) throw new RefusedError(notFound('task_not_found'));
      const { task } = loaded;
      status = task.status;
      // A later pod may tell: a report that could not be delivered travels with the snapshot.
      if (data.pod_generation < task.pod_generation) return null;
      if (data.status === 'running') {
        const next = afterFact(task.status, 'running');
        if (next === null) return null;
        status = next;
        return this.progress(task, now, { status: next, started_at: timeOf(data.started_at) ?? now });
      }
      const effect = this.end(loaded, now, {
        status: endOfReport(data.status, data.reason),
        reason: data.reason ?? null,
        output: data.output ?? null,
        startedAt: timeOf(data.started_at),
        completedAt: timeOf(data.completed_at) ?? now,
      });
      if (effect) status = endOfReport(data.status, data.reason);
      return effect;
    });
    if (status !== null) return { status };
    const task = await this.tasks.find(data.workspace_id, data.task_id);
    if (!task) throw new RefusedError(notFound('task_not_found'));
    return { status: task.status };
  }

  async delivered(fact: Fact<TaskDelivered>): Promise<void> {
    await this.facts.apply(fact, async (manager, now) => {
      const loaded = await this.loadTask(manager, fact.data);
      if (loaded) mustBePlausible(fact.data.pod_generation, loaded.workspace.generation);
      const next = loaded && afterFact(loaded.task.status, 'delivered');
      return next ? this.progress(loaded.task, now, { status: next }) : null;
    });
  }

  async deliveryFailed(fact: Fact<TaskDeliveryFailed>): Promise<void> {
    await this.facts.apply(fact, async (manager, now) => {
      const loaded = await this.loadTask(manager, fact.data);
      if (loaded) mustBePlausible(fact.data.pod_generation, loaded.workspace.generation);
      return loaded && this.end(loaded, now, { status: 'delivery_failed', reason: fact.data.reason, completedAt: now });
    });
  }

  async get(orgId: string, { workspace_id: workspaceId, task_id: id, caller }: GetTask): Promise<TaskView> {
    await this.mustSee(orgId, workspaceId, caller);
    const task = await this.tasks.find(workspaceId, id);
    if (!task) throw new RefusedError(notFound('task_not_found'));
    return taskView(task);
  }

  async list(orgId: string, query: ListTasks): Promise<{ tasks: TaskSummary[]; cursor?: string }> {
    const from = idOfCursor(query.cursor, 'task');
    if ('refused' in from) throw new RefusedError(from.refused);
    await this.mustSee(orgId, query.workspace_id, query.caller);
    const rows = await this.tasks.page(query.workspace_id, from.before, query.limit + 1);
    const { page, ...rest } = pageOf(rows, query.limit, taskSummary);
    return { tasks: page, ...rest };
  }

  /** The pod has the task: from here on it has its timeout, and the time that a report may take. */
  private progress(task: TaskEntity, now: Date, change: TaskChange): Effect {
    const deadline = inSeconds(now, task.timeout_seconds + this.config.taskGraceSeconds);
    const whole = { ...change, deadline_at: deadline, run_command: null, resend_at: null };
    return { writes: new OneStatement().add('task', this.tasks.update(task, whole), 1), messages: [] };
  }

  private end(
    { task, workspace }: { task: TaskEntity; workspace: LoadedWorkspace },
    now: Date,
    end: Parameters<typeof endOfTask>[2],
  ): Effect | null {
    const ended = endOfTask(task, workspace, end);
    if (!ended) return null;
    const writes = new OneStatement().add('task', this.tasks.update(task, ended.task), 1);
    if (Object.keys(ended.workspace).length > 0) writes.add('workspace', this.workspaces.update(workspace, ended.workspace, now), 1);
    const about = { orgId: task.org_id, workspaceId: task.workspace_id, actor: task.requested_by, correlationId: task.correlation_id };
    const status = ended.workspace.status ?? workspace.status;
    return { writes, messages: [...ended.messages, ...statusChanged(workspace.status, status, workspace.generation, about)] };
  }

  private async loadTask(
    manager: EntityManager,
    { workspace_id: workspaceId, task_id: id }: { workspace_id: string; task_id: string },
  ): Promise<{ task: TaskEntity; workspace: LoadedWorkspace } | null> {
    const workspace = await this.workspaces.lock(manager, workspaceId, null);
    const task = workspace && (await this.tasks.lock(manager, id));
    return workspace && task?.workspace_id === workspaceId ? { task, workspace } : null;
  }

  /** 404, then 403 by creator. */
  private async load(
    manager: EntityManager,
    command: Command<SubmitTask | CancelTask>,
    scope: 'tasks:write' | 'workspace:write',
  ): Promise<LoadedWorkspace> {
    const workspace = await this.workspaces.lock(manager, command.data.workspace_id, command.orgId);
    if (!workspace) throw new RefusedError(notFound('workspace_not_found'));
    if (!mayTouch(command.data.caller, workspace.created_by_user_id)) throw new RefusedError(notCreator(scope));
    return workspace;
  }

  private async mustSee(orgId: string, workspaceId: string, caller: GetTask['caller']): Promise<void> {
    const workspace = await this.workspaces.find(orgId, workspaceId);
    if (!workspace) throw new RefusedError(notFound('workspace_not_found'));
    if (!mayTouch(caller, workspace.created_by_user_id)) throw new RefusedError(NOT_VISIBLE);
  }
}

/** The pod of a workspace that is idle or busy: it has one. */
function podOf(workspace: LoadedWorkspace): number {
  if (workspace.pod_generation === null) throw new Error(`Workspace ${workspace.id} is ${workspace.status} without a pod`);
  return workspace.pod_generation;
}

function inSeconds(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000);
}

function timeOf(text: string | undefined): Date | null {
  return text === undefined ? null : new Date(text);
}
