import {
  GetOperation,
  ListOperationsInFlight,
  OperationErrorCode,
  OperationFailed,
  OperationSucceeded,
  OperationView,
  PodJobFailed,
  PodReady,
  PodRemoved,
  PodStepChanged,
} from '@reprise/contracts';
import { RefusedError } from '@reprise/messaging';
import { addToContext, annotateSpan, runWith } from '@reprise/platform';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Fact } from '../commands/command';
import { type AboutOperation, Effect, FactRunner } from '../commands/fact-runner';
import { NOT_VISIBLE, mayTouch, notFound } from '../commands/visibility.rules';
import { endOfTask, type TaskEnd } from '../tasks/task-end';
import type { TaskEntity } from '../tasks/task.entity';
import { TasksRepository } from '../tasks/tasks.repository';
import { LifecycleConfig } from '../lifecycle.config';
import { type EndedOperation, LifecycleMetrics } from '../metrics/lifecycle-metrics';
import { OneStatement } from '../transactions/one-statement';
import { announce, statusChanged } from '../workspaces/announcements';
import { LoadedWorkspace, WorkspaceChange, WorkspacesRepository } from '../workspaces/workspaces.repository';
import type { OperationEntity } from './operation.entity';
import {
  Ending,
  type PhaseRecord,
  closed,
  interruptionOf,
  isCurrent,
  lostAt,
  snapshotErrorOf,
  statusAfter,
  timeoutMessage,
  unlessLost,
  whenFailed,
  whenReady,
  whenRemoved,
  withStep,
} from './operation.rules';
import { operationView } from './operation.view';
import { type LoadedOperation, OperationsRepository, type OverdueOperation } from './operations.repository';

interface Loaded {
  workspace: LoadedWorkspace;
  operation: LoadedOperation;
  task: TaskEntity | null;
}

interface Outcome {
  ending: Ending;
  error: { code: OperationErrorCode; message: string } | null;
  change: WorkspaceChange;
}

/** What becomes of operations: the provisioner's facts and the passing of deadlines, each applied once. */
@Injectable()
export class OperationsService {
  private readonly logger = new Logger(OperationsService.name);

  constructor(
    private readonly facts: FactRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly operations: OperationsRepository,
    private readonly tasks: TasksRepository,
    private readonly config: LifecycleConfig,
    private readonly metrics: LifecycleMetrics,
  ) {}

  /** A step began or ended: the timeline shows it, and a task that it interrupted has ended. */
  stepChanged(fact: Fact<PodStepChanged>): Promise<void> {
    return this.facts.applyTogether(fact, async (facts, manager, now, loading) => {
      const steps = facts.map(({ data }) => data);
      const loaded = await this.load(manager, fact.data, loading);
      if (!loaded) return null;
      const { workspace, operation } = loaded;
      const ended = await this.interrupted(manager, steps, loaded, loading);
      const status = statusAfter(operation.kind, { ...fenceOf(workspace), status: workspace.status }, steps);
      const change: WorkspaceChange = { ...ended?.workspace, ...(status === null ? {} : { status }) };
      const phases = steps.reduce<readonly PhaseRecord[]>(withStep, operation.phases);

      // The workspace before the operation, as everyone does.
      const writes = new OneStatement();
      if (Object.keys(change).length > 0) writes.add('workspace', this.workspaces.update(workspace, change, now), 1);
      if (phases !== operation.phases) writes.add('operation', this.operations.progress(operation, phases, this.quietFrom(now)), 1);
      if (ended) writes.add('task', this.tasks.update(ended.before, ended.task), 1);
      const next = change.status ?? workspace.status;
      return {
        writes,
        messages: [...(ended?.messages ?? []), ...statusChanged(workspace.status, next, workspace.generation, aboutOf(operation))],
      };
    });
  }

  async podReady(fact: Fact<PodReady>): Promise<void> {
    const { role_version: roleVersion, snapshot_id: snapshot } = fact.data;
    await this.end(fact, ({ workspace, operation }) => ({
      ending: whenReady(operation.kind, operation.generation, beforeOf(workspace)),
      error: null,
      change: { pod_role_version: roleVersion, last_snapshot_error: null, ...(snapshot ? { snapshot_ref: snapshot } : {}) },
    }));
  }

  async podRemoved(fact: Fact<PodRemoved>): Promise<void> {
    await this.end(fact, ({ workspace, operation }) => ({
      ending: whenRemoved(operation.kind, beforeOf(workspace)),
      error: null,
      change: { pod_role_version: null, last_snapshot_error: null, snapshot_ref: fact.data.snapshot_id },
    }));
  }

  async jobFailed(fact: Fact<PodJobFailed>): Promise<void> {
    const { pod_kept: podKept, step, code, message, snapshot_id: snapshot } = fact.data;
    await this.end(fact, ({ workspace }) => {
      const snapshotError = snapshotErrorOf(step, message);
      return {
        ending: whenFailed(podKept, beforeOf(workspace)),
        error: { code, message },
        change: {
          ...(podKept ? {} : { pod_role_version: null }),
          ...(snapshotError === null ? {} : { last_snapshot_error: snapshotError }),
          ...(snapshot ? { snapshot_ref: snapshot } : {}),
        },
      };
    });
  }

  /**
   * Sends the commands of operations without progress once more, each with its first message id: the provisioner takes it for the same command,
   * or for a new one where it never had it. Returns those operations.
   */
  async resendQuiet(limit = 100): Promise<OperationEntity[]> {
    let quiet: OperationEntity[] = [];
    await this.facts.apply(null, async (manager, now) => {
      quiet = await this.operations.takeQuiet(manager, now, this.quietFrom(now), limit);
      const messages = quiet.flatMap(({ pod_command: command }) => command ?? []);
      return messages.length > 0 ? { writes: new OneStatement(), messages } : null;
    });
    return quiet;
  }

  /** Lets the commands of operations in flight be sent again at the watchdog's next look, the oldest first. */
  async hurry(limit: number): Promise<{ operations: number }> {
    return { operations: await this.operations.hurry(limit) };
  }

  /** Operations that missed their deadline. */
  overdue(now: Date, limit = 100): Promise<OverdueOperation[]> {
    return this.operations.overdue(now, limit);
  }

  /** Fails an operation that missed its deadline. A pod that it left is saved or removed by the next one. */
  failOverdue({ id, workspace_id, generation, traceparent }: OverdueOperation): Promise<void> {
    // No message brings its context along.
    return runWith({ operationId: id, workspaceId: workspace_id, traceparent: traceparent ?? undefined }, () =>
      this.endWith(null, { operation_id: id, workspace_id, generation }, ({ workspace, operation }) => ({
        ending: whenFailed(false, beforeOf(workspace)),
        error: timeoutMessage(operation.phases),
        change: { pod_role_version: null },
      })),
    );
  }

  async get(orgId: string, { operation_id: id, caller }: GetOperation): Promise<OperationView> {
    const row = await this.operations.find(orgId, id);
    if (!row) throw new RefusedError(notFound('operation_not_found'));
    if (!mayTouch(caller, row.workspace_created_by)) throw new RefusedError(NOT_VISIBLE);
    return operationView(row);
  }

  async inFlight({ limit }: ListOperationsInFlight): Promise<{ operations: OperationView[] }> {
    const rows = await this.operations.inFlight(limit);
    return { operations: rows.map(operationView) };
  }

  private quietFrom(now: Date): Date {
    return new Date(now.getTime() + this.config.operationResendSeconds * 1000);
  }

  private end(fact: Fact<PodReady | PodRemoved | PodJobFailed>, outcomeOf: (loaded: Loaded) => Outcome): Promise<void> {
    return this.endWith(fact, fact.data, outcomeOf);
  }

  /** Ends the operation that the workspace is in; a fact about any other changes nothing. */
  private async endWith(
    fact: Fact<AboutOperation> | null,
    about: AboutOperation & { generation: number },
    outcomeOf: (loaded: Loaded) => Outcome,
  ): Promise<void> {
    let ended = null as EndedOperation | null;
    const work = async (manager: EntityManager, now: Date, loading: { locked: boolean }): Promise<Effect | null> => {
      // It may be run again, and then come to another end.
      ended = null;
      const loaded = await this.load(manager, about, loading);
      if (!loaded || !isCurrent(fenceOf(loaded.workspace), about) || loaded.operation.finished_at !== null) return null;
      const outcome = outcomeOf(loaded);
      const error = outcome.error?.code ?? null;
      ended = { ...loaded.operation, phases: closed(loaded.operation.phases, error ? 'failed' : 'succeeded', now), endedAt: now, error };
      return this.ended(loaded, outcome, now);
    };
    if (fact) await this.facts.applyGuarded(fact, (_facts, manager, now, loading) => work(manager, now, loading));
    else await this.facts.apply(null, (manager, now) => work(manager, now, { locked: true }));
    if (ended === null) return;
    addToContext({ operationId: about.operation_id });
    this.metrics.operationEnded(ended);
    if (fact === null) this.metrics.watchdogDid('operation_timed_out');
    const ending = `${ended.kind} ${ended.error ? `failed: ${ended.error}` : 'succeeded'}`;
    annotateSpan({ 'reprise.operation.end': ending, 'reprise.generation': about.generation });
    this.logger.log(ending);
  }

  private ended({ workspace, operation, task }: Loaded, outcome: Outcome, now: Date): Effect {
    const { error } = outcome;
    const ending = unlessLost(outcome.ending, workspace.lost_generation, beforeOf(workspace));
    const change: WorkspaceChange = { ...outcome.change, ...(ending.podGeneration === null ? { pod_role_version: null } : {}) };
    const phases = closed(operation.phases, error ? 'failed' : 'succeeded', now);
    const endOf = task && ending.taskEnds && endOfTask(task, workspace, { ...ending.taskEnds, completedAt: now });
    const writes = new OneStatement()
      .add(
        'workspace',
        this.workspaces.update(
          workspace,
          {
            ...change,
            status: ending.status,
            ...(ending.status !== outcome.ending.status ? { lost_at: lostAt(workspace.role, now) } : {}),
            pod_generation: ending.podGeneration,
            operation_id: null,
            ...(ending.taskEnds ? { running_task_id: null } : {}),
          },
          now,
        ),
        1,
      )
      .add('operation', this.operations.finish(operation, error, phases, now), 1);
    if (task && endOf) writes.add('task', this.tasks.update(task, endOf.task), 1);
    const about = aboutOf(operation);
    const told = {
      operation_id: operation.id,
      workspace_id: workspace.id,
      kind: operation.kind,
      generation: operation.generation,
      finished_at: now.toISOString(),
    };
    const end = error
      ? announce(OperationFailed.type, { ...told, ...error, pod_kept: ending.podGeneration !== null } satisfies OperationFailed, about)
      : announce(
          OperationSucceeded.type,
          { ...told, snapshot_id: change.snapshot_ref ?? workspace.snapshot_ref } satisfies OperationSucceeded,
          about,
        );
    return {
      writes,
      messages: [...(endOf?.messages ?? []), ...statusChanged(workspace.status, ending.status, workspace.generation, about), end],
    };
  }

  /** What ends a task that a step interrupted; null where none did, or it had ended. */
  private async interrupted(
    manager: EntityManager,
    steps: readonly PodStepChanged[],
    { workspace, operation }: Loaded,
    loading: { locked: boolean },
  ): Promise<(TaskEnd & { before: TaskEntity }) | null> {
    const step = steps.find(({ interrupted_task_id: taskId }) => taskId);
    const before = step?.interrupted_task_id ? await this.tasks.load(manager, step.interrupted_task_id, loading) : null;
    if (!step || before?.workspace_id !== workspace.id) return null;
    const reason = interruptionOf(operation.kind);
    const end = endOfTask(before, workspace, { status: 'cancelled', reason, completedAt: new Date(step.at) });
    return end && { ...end, before };
  }

  private async load(
    manager: EntityManager,
    { workspace_id, operation_id }: AboutOperation,
    loading: { locked: boolean },
  ): Promise<Loaded | null> {
    const workspace = await this.workspaces.load(manager, workspace_id, null, loading);
    const operation = workspace && (await this.operations.load(manager, operation_id, loading));
    if (operation?.workspace_id !== workspace_id || !workspace) return null;
    const task = workspace.running_task_id ? await this.tasks.load(manager, workspace.running_task_id, loading) : null;
    return { workspace, operation, task };
  }
}

function fenceOf({ operation_id, generation }: LoadedWorkspace) {
  return { operationId: operation_id, generation };
}

function beforeOf({ pod_generation, running_task_id }: LoadedWorkspace) {
  return { podGeneration: pod_generation, runningTaskId: running_task_id };
}

function aboutOf({ org_id, workspace_id, requested_by, correlation_id }: OperationEntity) {
  return { orgId: org_id, workspaceId: workspace_id, actor: requested_by, correlationId: correlation_id };
}
