import type { PodStepChanged } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Fact } from '../commands/command';
import { type Effect, FactRunner } from '../commands/fact-runner';
import { LifecycleConfig } from '../lifecycle.config';
import { endOfTask, type TaskEnd } from '../tasks/task-end';
import type { TaskEntity } from '../tasks/task.entity';
import { TasksRepository } from '../tasks/tasks.repository';
import { OneStatement } from '../transactions/one-statement';
import { statusChanged } from '../workspaces/announcements';
import { type WorkspaceChange, WorkspacesRepository } from '../workspaces/workspaces.repository';
import { aboutOf, fenceOf, type Loaded, OperationLoader } from './operation-loader';
import { interruptionOf, type PhaseRecord, quietFrom, reachWorkspace, statusAfter, stepsOf, withStep } from './operation.rules';
import { type LoadedOperation, OperationsRepository } from './operations.repository';
import { mustBePlausible } from './plausible-generation';

/** What the steps of a job do to its operation while it goes on: most of them move the timeline, and nothing else. */
@Injectable()
export class StepsService {
  constructor(
    private readonly facts: FactRunner,
    private readonly loader: OperationLoader,
    private readonly workspaces: WorkspacesRepository,
    private readonly operations: OperationsRepository,
    private readonly tasks: TasksRepository,
    private readonly config: LifecycleConfig,
  ) {}

  /** Steps began or ended: the timeline shows it, and a task that they interrupted has ended. */
  changed(fact: Fact<PodStepChanged>): Promise<void> {
    return this.facts.applyTogether(fact, async (facts, manager, now, loading) => {
      const told = facts.map(({ data }) => data);
      if (reachWorkspace(told))
        return this.onWorkspace(told, await this.loader.load(manager, fact.data, loading), { manager, now, loading });
      const operation = await this.loader.loadAlone(manager, fact.data, loading);
      if (operation) mustAllBePlausible(told, operation);
      return operation && { writes: this.addTimeline(new OneStatement(), told, operation, now), messages: [] };
    });
  }

  private addTimeline(writes: OneStatement, told: readonly PodStepChanged[], operation: LoadedOperation, now: Date): OneStatement {
    // What began is not told of an operation that has ended: nothing of it runs any more.
    const steps = told
      .flatMap(stepsOf)
      .filter(({ status, generation }) => generation === operation.generation && (status !== 'started' || operation.finished_at === null));
    const phases = steps.reduce<readonly PhaseRecord[]>(withStep, operation.phases);
    if (phases !== operation.phases) writes.add('operation', this.operations.progress(operation, phases, quietFrom(now, this.config)), 1);
    return writes;
  }

  private async onWorkspace(
    told: readonly PodStepChanged[],
    loaded: Loaded | null,
    { manager, now, loading }: { manager: EntityManager; now: Date; loading: { locked: boolean } },
  ): Promise<Effect | null> {
    if (!loaded) return null;
    const { workspace, operation } = loaded;
    mustAllBePlausible(told, operation);
    const ended = await this.interrupted(manager, told, loaded, loading);
    const status = statusAfter(operation.kind, { ...fenceOf(workspace), status: workspace.status }, told.flatMap(stepsOf));
    const change: WorkspaceChange = { ...ended?.workspace, ...(status === null ? {} : { status }) };

    // The workspace before the operation, as everyone does.
    const writes = new OneStatement();
    if (Object.keys(change).length > 0) writes.add('workspace', this.workspaces.update(workspace, change, now), 1);
    this.addTimeline(writes, told, operation, now);
    if (ended) writes.add('task', this.tasks.update(ended.before, ended.task), 1);
    const next = change.status ?? workspace.status;
    return {
      writes,
      messages: [...(ended?.messages ?? []), ...statusChanged(workspace.status, next, workspace.generation, aboutOf(operation))],
    };
  }

  /** What ends a task that a step interrupted; null where none did, or it had ended. */
  private async interrupted(
    manager: EntityManager,
    told: readonly PodStepChanged[],
    { workspace, operation }: Loaded,
    loading: { locked: boolean },
  ): Promise<(TaskEnd & { before: TaskEntity }) | null> {
    const step = told.find(({ interrupted_task_id: taskId }) => taskId);
    const before = step?.interrupted_task_id ? await this.tasks.load(manager, step.interrupted_task_id, loading) : null;
    if (!step || before?.workspace_id !== workspace.id) return null;
    const reason = interruptionOf(operation.kind);
    const { interrupted_task_output: output } = step;
    const end = endOfTask(before, workspace, {
      status: 'cancelled',
      reason,
      completedAt: new Date(step.at),
      ...(output === undefined ? {} : { output }),
    });
    return end && { ...end, before };
  }
}

/** @throws DeadLetter `implausible_generation` */
function mustAllBePlausible(told: readonly PodStepChanged[], operation: LoadedOperation): void {
  for (const { generation } of told) mustBePlausible(generation, operation.generation);
}
