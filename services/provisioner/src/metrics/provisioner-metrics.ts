import { Injectable } from '@nestjs/common';
import type { Step } from '@reprise/contracts';
import { type Counter, type Histogram, Metrics } from '@reprise/platform';
import type { Job } from '../jobs/job';
import { POD_STATUSES } from '../jobs/record-changes';
import type { Correction } from '../reconciler/reconcile.rules';
import type { SnapshotRecord } from '../snapshots/snapshots';
import type { StepResult } from '../worker/step-runner';
import { type Figures, FiguresRepository } from './figures.repository';
import {
  FIGURES,
  JOB_DURATION,
  JOBS,
  JOBS_ENDED,
  JOBS_OLDEST_DUE,
  PODS,
  RECONCILE_CORRECTIONS,
  RECONCILE_LAST_PASS,
  SNAPSHOT_SIZE,
  STEP_DURATION,
} from './provisioner.metrics';

const FIGURES_EVERY_MS = 10_000;
const ACTION = { remove: 'remove', 'report-lost': 'report_lost', 'record-gone': 'record_gone' } as const;

/** What the provisioner tells of its jobs and pods. */
@Injectable()
export class ProvisionerMetrics {
  private readonly ended: Counter<'kind' | 'outcome' | 'code'>;
  private readonly durations: Histogram<'kind' | 'outcome'>;
  private readonly steps: Histogram<'step' | 'outcome'>;
  private readonly sizes: Histogram;
  private readonly corrections: Counter<'action' | 'outcome'>;

  constructor(
    private readonly metrics: Metrics,
    figures: FiguresRepository,
  ) {
    this.ended = metrics.counter(JOBS_ENDED);
    this.durations = metrics.histogram(JOB_DURATION);
    this.steps = metrics.histogram(STEP_DURATION);
    this.sizes = metrics.histogram(SNAPSHOT_SIZE);
    this.corrections = metrics.counter(RECONCILE_CORRECTIONS);
    // From 0, so that the first one of its kind is an increase.
    for (const action of Object.values(ACTION)) for (const outcome of ['done', 'failed']) this.corrections.inc({ action, outcome }, 0);
    // A replica that never had its turn has no last pass: 1970 would look like one.
    metrics.gauge(RECONCILE_LAST_PASS).remove();
    metrics.sample(FIGURES, { source: 'pods', everyMs: FIGURES_EVERY_MS, read: () => figures.look(), show: (found) => this.show(found) });
  }

  /** The files of a workspace were saved. */
  saved({ tarBytes }: Pick<SnapshotRecord, 'tarBytes'>): void {
    this.sizes.observe(tarBytes);
  }

  /** A job whose end is written down. */
  jobEnded({ kind, ending, acceptedAt }: Pick<Job, 'kind' | 'ending' | 'acceptedAt'>, now: Date): void {
    const outcome = ending === null ? 'succeeded' : 'failed';
    this.ended.inc({ kind, outcome, code: ending?.code ?? '' });
    this.durations.observe({ kind, outcome }, Math.max(0, now.getTime() - acceptedAt.getTime()) / 1_000);
  }

  /** Times one attempt at a step. */
  async attempt(step: Step, run: () => Promise<StepResult>): Promise<StepResult> {
    const began = performance.now();
    const result = await run();
    this.steps.observe({ step, outcome: outcomeOf(result) }, (performance.now() - began) / 1_000);
    return result;
  }

  corrected({ do: action }: Pick<Correction, 'do'>, outcome: 'done' | 'failed'): void {
    this.corrections.inc({ action: ACTION[action], outcome });
  }

  reconciled(at: Date): void {
    this.metrics.gauge(RECONCILE_LAST_PASS).set(at.getTime() / 1_000);
  }

  private show({ pods, waiting, running, oldestDueSeconds }: Figures): void {
    for (const status of POD_STATUSES) if (status !== 'gone') this.metrics.gauge(PODS).set({ status }, pods[status] ?? 0);
    this.metrics.gauge(JOBS).set({ status: 'waiting' }, waiting);
    this.metrics.gauge(JOBS).set({ status: 'running' }, running);
    this.metrics.gauge(JOBS_OLDEST_DUE).set(oldestDueSeconds);
  }
}

function outcomeOf(result: StepResult): 'succeeded' | 'failed' | 'interrupted' {
  if ('outcome' in result) return 'succeeded';
  return 'failure' in result ? 'failed' : 'interrupted';
}
