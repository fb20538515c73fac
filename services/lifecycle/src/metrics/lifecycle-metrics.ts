import { OPERATION_KINDS, type OperationErrorCode, WORKSPACE_STATUSES } from '@reprise/contracts';
import { type Counter, type Histogram, Metrics } from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import type { OperationEntity } from '../operations/operation.entity';
import type { PhaseRecord } from '../operations/operation.rules';
import { type Figures, FiguresRepository } from './figures.repository';
import {
  FIGURES,
  OPERATION_DURATION,
  OPERATIONS_ENDED,
  OPERATIONS_IN_PROGRESS,
  OPERATIONS_OLDEST,
  OPERATIONS_OVERDUE,
  PHASE_DURATION,
  WATCHDOG_ACTIONS,
  WORKSPACES,
} from './lifecycle.metrics';

/** What the watchdog can do. */
export type WatchdogAction =
  | 'operation_resent'
  | 'operation_timed_out'
  | 'task_resent'
  | 'task_interrupted'
  | 'task_timed_out'
  | 'workspace_stopped'
  | 'workspace_resumed'
  | 'checkpoint_asked';

/** An operation that has just ended. */
export interface EndedOperation extends Pick<OperationEntity, 'kind' | 'created_at'> {
  readonly phases: readonly PhaseRecord[];
  readonly endedAt: Date;
  readonly error: OperationErrorCode | null;
}

/** All workspaces are counted: not at every scrape of a busy day. */
const FIGURES_EVERY_MS = 15_000;

/** What lifecycle tells of its operations and workspaces. Counted once the change is committed, by the replica that made it. */
@Injectable()
export class LifecycleMetrics {
  private readonly ended: Counter<'kind' | 'outcome' | 'code'>;
  private readonly durations: Histogram<'kind' | 'outcome'>;
  private readonly phases: Histogram<'kind' | 'phase' | 'outcome'>;
  private readonly actions: Counter<'action'>;

  constructor(
    private readonly metrics: Metrics,
    figures: FiguresRepository,
  ) {
    this.ended = metrics.counter(OPERATIONS_ENDED);
    this.durations = metrics.histogram(OPERATION_DURATION);
    this.phases = metrics.histogram(PHASE_DURATION);
    this.actions = metrics.counter(WATCHDOG_ACTIONS);
    metrics.sample(FIGURES, {
      source: 'workspaces',
      everyMs: FIGURES_EVERY_MS,
      read: () => figures.look(),
      show: (found) => this.show(found),
    });
  }

  operationEnded({ kind, created_at: createdAt, phases, endedAt, error }: EndedOperation): void {
    const outcome = error === null ? 'succeeded' : 'failed';
    this.ended.inc({ kind, outcome, code: error ?? '' });
    this.durations.observe({ kind, outcome }, secondsBetween(createdAt, endedAt));
    for (const { name, status, started_at: startedAt, finished_at: finishedAt } of phases) {
      const phaseOutcome = status === 'succeeded' ? 'succeeded' : 'failed';
      const seconds = secondsBetween(new Date(startedAt), finishedAt === null ? endedAt : new Date(finishedAt));
      this.phases.observe({ kind, phase: name, outcome: phaseOutcome }, seconds);
    }
  }

  watchdogDid(action: WatchdogAction, times = 1): void {
    this.actions.inc({ action }, times);
  }

  private show({ workspaces, operations, oldestSeconds, overdue }: Figures): void {
    for (const status of WORKSPACE_STATUSES) this.metrics.gauge(WORKSPACES).set({ status }, workspaces[status] ?? 0);
    for (const kind of OPERATION_KINDS) this.metrics.gauge(OPERATIONS_IN_PROGRESS).set({ kind }, operations[kind] ?? 0);
    this.metrics.gauge(OPERATIONS_OLDEST).set(oldestSeconds);
    this.metrics.gauge(OPERATIONS_OVERDUE).set(overdue);
  }
}

/** The steps are timed by the provisioner's clock, the end by ours. */
function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1_000;
}
