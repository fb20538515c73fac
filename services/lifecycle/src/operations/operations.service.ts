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
} from '@reprise/contracts';
import { RefusedError } from '@reprise/messaging';
import { addToContext, annotateSpan, runWith } from '@reprise/platform';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Fact } from '../commands/command';
import { thatFit } from '../commands/cursor.rules';
import { type AboutOperation, Effect, FactRunner } from '../commands/fact-runner';
import { NOT_VISIBLE, mayTouch, notFound } from '../commands/visibility.rules';
import { endOfTask } from '../tasks/task-end';
import { TasksRepository } from '../tasks/tasks.repository';
import { LifecycleConfig } from '../lifecycle.config';
import { type EndedOperation, LifecycleMetrics } from '../metrics/lifecycle-metrics';
import { OneStatement } from '../transactions/one-statement';
import { announce, statusChanged } from '../workspaces/announcements';
import { LoadedWorkspace, WorkspaceChange, WorkspacesRepository } from '../workspaces/workspaces.repository';
import type { OperationEntity } from './operation.entity';
import { aboutOf, fenceOf, type LoadedWithTask, OperationLoader } from './operation-loader';
import {
  Ending,
  closed,
  failureOf,
  isCurrent,
  lostAt,
  quietFrom,
  snapshotErrorOf,
  timeoutMessage,
  unlessLost,
  whenFailed,
  whenReady,
  whenRemoved,
} from './operation.rules';
import { operationView } from './operation.view';
import { OperationsRepository, type OverdueOperation } from './operations.repository';
import { mustBePlausible } from './plausible-generation';

interface Outcome {
  ending: Ending;
  error: { code: OperationErrorCode; message: string } | null;
  /** What the new pod began from. */
  stateFrom?: string;
  change: WorkspaceChange;
}

type AboutPassed = Pick<OperationEntity, 'id' | 'workspace_id' | 'generation'>;

/** What becomes of operations: the provisioner's facts and the passing of deadlines, each applied once. */
@Injectable()
export class OperationsService {
  private readonly logger = new Logger(OperationsService.name);

  constructor(
    private readonly facts: FactRunner,
    private readonly workspaces: WorkspacesRepository,
    private readonly operations: OperationsRepository,
    private readonly tasks: TasksRepository,
    private readonly loader: OperationLoader,
    private readonly config: LifecycleConfig,
    private readonly metrics: LifecycleMetrics,
  ) {}

  async podReady(fact: Fact<PodReady>): Promise<void> {
    const { role_version: roleVersion, snapshot_id: snapshot, state_from: stateFrom, state_lost: stateLost } = fact.data;
    await this.end(fact, ({ workspace, operation }) => ({
      ending: whenReady(operation.kind, operation.generation, beforeOf(workspace)),
      error: null,
      stateFrom,
      change: { pod_role_version: roleVersion, last_snapshot_error: stateLost ?? null, ...(snapshot ? { snapshot_ref: snapshot } : {}) },
    }));
  }

  async podRemoved(fact: Fact<PodRemoved>): Promise<void> {
    await this.end(fact, ({ workspace, operation }) => ({
      ending: whenRemoved(operation.kind, beforeOf(workspace)),
      error: null,
      change: {
        pod_role_version: null,
        last_snapshot_error: fact.data.state_lost ?? null,
        ...(fact.data.snapshot_id ? { snapshot_ref: fact.data.snapshot_id } : {}),
      },
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
      quiet = await this.operations.takeQuiet(manager, now, quietFrom(now, this.config), limit);
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

  /** Fails an operation of the past: a newer pod than it knows of was made before the database was restored to an earlier state. */
  failPassed({ id, workspace_id, generation }: AboutPassed, newest: number): Promise<void> {
    const message = `The database was restored to a state before this operation's end: generation ${newest} was there already. Resume the workspace.`;
    const outcomeOf = ({ workspace }: LoadedWithTask): Outcome => ({
      ending: whenFailed(false, beforeOf(workspace)),
      error: { code: 'operation_timeout', message },
      change: { pod_role_version: null },
    });
    return this.endWith(null, { operation_id: id, workspace_id, generation }, outcomeOf, { byDeadline: false });
  }

  async get(orgId: string, { operation_id: id, caller }: GetOperation): Promise<OperationView> {
    const row = await this.operations.find(orgId, id);
    if (!row) throw new RefusedError(notFound('operation_not_found'));
    if (!mayTouch(caller, row.workspace_created_by)) throw new RefusedError(NOT_VISIBLE);
    return operationView(row);
  }

  async inFlight({ limit }: ListOperationsInFlight): Promise<{ operations: OperationView[] }> {
    const rows = await this.operations.inFlight(limit);
    return { operations: thatFit(rows, operationView) };
  }

  private end(fact: Fact<PodReady | PodRemoved | PodJobFailed>, outcomeOf: (loaded: LoadedWithTask) => Outcome): Promise<void> {
    return this.endWith(fact, fact.data, outcomeOf);
  }

  /** Ends the operation that the workspace is in; a fact about any other changes nothing. */
  private async endWith(
    fact: Fact<AboutOperation> | null,
    about: AboutOperation & { generation: number },
    outcomeOf: (loaded: LoadedWithTask) => Outcome,
    { byDeadline = fact === null } = {},
  ): Promise<void> {
    let ended = null as EndedOperation | null;
    const work = async (manager: EntityManager, now: Date, loading: { locked: boolean }): Promise<Effect | null> => {
      // It may be run again, and then come to another end.
      ended = null;
      const loaded = await this.loader.loadWithTask(manager, about, loading);
      if (loaded && fact) mustBePlausible(about.generation, loaded.workspace.generation);
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
    if (byDeadline) this.metrics.watchdogDid('operation_timed_out');
    const ending = `${ended.kind} ${ended.error ? `failed: ${ended.error}` : 'succeeded'}`;
    annotateSpan({ 'reprise.operation.end': ending, 'reprise.generation': about.generation });
    this.logger.log(ending);
  }

  private ended({ workspace, operation, task }: LoadedWithTask, outcome: Outcome, now: Date): Effect {
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
            failure: failureOf(ending, error, operation.id, now),
            // A fresh pod has nothing that its snapshot has not.
            ...(error === null ? { saved_at: now, checkpoint_asked_at: null, background_work: false } : {}),
            operation_id: null,
            ...(ending.taskEnds ? { running_task_id: null } : {}),
          },
          now,
        ),
        1,
      )
      .add('operation', this.operations.finish(operation, { error, stateFrom: outcome.stateFrom ?? null }, phases, now), 1);
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
          {
            ...told,
            snapshot_id: change.snapshot_ref ?? workspace.snapshot_ref,
            ...(outcome.stateFrom === undefined ? {} : { state_from: outcome.stateFrom }),
          } satisfies OperationSucceeded,
          about,
        );
    return {
      writes,
      messages: [...(endOf?.messages ?? []), ...statusChanged(workspace.status, ending.status, workspace.generation, about), end],
    };
  }
}

function beforeOf({ pod_generation, running_task_id }: LoadedWorkspace) {
  return { podGeneration: pod_generation, runningTaskId: running_task_id };
}
