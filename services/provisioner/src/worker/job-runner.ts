import { Injectable, Logger } from '@nestjs/common';
import type { Step } from '@reprise/contracts';
import { Clock, failSpan, runWith } from '@reprise/platform';
import { PodSurvey } from '../inventory/pod-survey.service';
import type { Job, StepFailure } from '../jobs/job';
import { isDataError } from '../jobs/data-error';
import { afterFailure, bar, type RetryLimits, stepAfter } from '../jobs/job.rules';
import { JobsRepository } from '../jobs/jobs.repository';
import { type Advance, type StepOutcome, Transition } from '../jobs/transition';
import { ProvisionerMetrics } from '../metrics/provisioner-metrics';
import { ProvisionerConfig } from '../provisioner.config';
import { failureOf } from '../steps/step';
import { Cleanup } from './cleanup';
import { type Lease, LeaseLost, ShuttingDown } from './lease';
import { StepRunner } from './step-runner';
import { inStepSpan } from './step-span';
import { untilAborted } from './until-aborted';

/** The worker's hold on the job that it runs. */
export interface Hold {
  /** The worker's name, for the journal. */
  readonly worker: string;
  readonly lease: Lease;
  /** Whether the worker is about to end: the job is let go before its next step. */
  readonly draining: () => boolean;
}

/** What came of a run. `waitMs`: the job was let go, and may be taken again after so long. */
export type RunResult = { readonly ended: 'done' | 'left' } | { readonly ended: 'parked'; readonly waitMs: number };

/**
 * Takes one claimed job as far as it goes: to its end, to a pause between two attempts, or until the lease is lost. Every move is one
 * statement: the end of a step and the start of the next, with their journal, events and records.
 */
@Injectable()
export class JobRunner {
  private readonly logger = new Logger(JobRunner.name);
  private readonly limits: RetryLimits;
  private readonly leaseMs: number;

  constructor(
    private readonly jobs: JobsRepository,
    private readonly steps: StepRunner,
    private readonly surveyor: PodSurvey,
    private readonly cleanup: Cleanup,
    private readonly clock: Clock,
    private readonly metrics: ProvisionerMetrics,
    config: ProvisionerConfig,
  ) {
    this.limits = { attempts: config.stepAttempts, firstDelayMs: config.stepRetryFirstMs, longestDelayMs: config.stepRetryLongestMs };
    this.leaseMs = config.jobLeaseSeconds * 1_000;
  }

  /**
   * Never rejects. What could not be written down is left as it is: the lease ends by itself, and whoever claims the job next goes on from
   * what is written.
   */
  run(claimed: Job, hold: Hold): Promise<RunResult> {
    const { operationId, workspaceId, orgId, traceparent } = claimed;
    const context = { operationId, workspaceId, orgId: orgId ?? undefined, traceparent: traceparent ?? undefined };
    return runWith(context, async (): Promise<RunResult> => {
      try {
        return await this.toItsEnd(claimed, hold);
      } catch (error) {
        if (error instanceof LeaseLost) this.logger.warn(`${nameOf(claimed)}: ${error.message}`);
        else this.logger.error({ err: error as Error }, `${nameOf(claimed)}: left where it is until its lease ends`);
        return { ended: 'left' };
      }
    });
  }

  private async toItsEnd(claimed: Job, hold: Hold): Promise<RunResult> {
    let move = await this.enter(claimed, hold);
    /** The job as it was when the step began whose end `move` is. */
    let ran: Job | null = null;
    for (;;) {
      const advance = move.advance();
      const { job, waitMs } = advance;
      let written: Job;
      try {
        written = await this.commit(advance, hold);
      } catch (error) {
        if (ran?.step == null || !isDataError(error)) throw error;
        // What the step has to say cannot be written down: it has failed, and is not run again without end as one that was interrupted.
        move = this.failed(ran, ran.step, failureOf(error));
        ran = null;
        continue;
      }
      if (job.status === 'waiting') return { ended: 'parked', waitMs };
      if (job.status !== 'running') return this.done(job);
      ran = written;
      move = written.ending === null ? await inStepSpan(written, () => this.attempt(written, hold)) : await this.conclude(written, hold);
    }
  }

  /** A job that was just claimed: its first step, the one where a dead worker stopped, or its clean-up. */
  private async enter(claimed: Job, hold: Hold): Promise<Transition> {
    if (claimed.ending !== null) return this.conclude(claimed, hold);
    const job = claimed.step === null && claimed.kind === 'create' ? await this.surveyed(claimed, hold) : claimed;
    const move = this.moveOf(job);
    if (job.begun) {
      this.logger.warn(`${nameOf(job)}: ${job.step} was interrupted, it is run again`);
      move.interrupt('The worker that ran it stopped.');
    }
    return this.goOn(move, job.step ?? stepAfter(job, null), hold);
  }

  private async surveyed(job: Job, { lease }: Hold): Promise<Job> {
    const found = await untilAborted((signal) => this.surveyor.survey(job, signal), lease.signal);
    return { ...job, ...found };
  }

  /** Begins the step, unless something stands against it. */
  private goOn(move: Transition, step: Step | null, { draining }: Hold): Transition {
    if (step === null) return move.finish();
    const ending = bar(move.job, step, this.clock.now());
    if (ending !== null) return move.giveUp(ending);
    if (draining()) return move.park(step, 0);
    return move.begin(step, this.steps.begins(step));
  }

  private async attempt(job: Job, hold: Hold): Promise<Transition> {
    const { step } = job;
    if (step === null) throw new Error(`Job ${job.id} was begun without a step`);
    const result = await this.metrics.attempt(step, () => this.steps.run(job, step, hold.lease.signal));
    if ('outcome' in result) return this.succeeded(job, step, result.outcome, hold);
    if ('failure' in result) return this.failed(job, step, result.failure);
    if (!(result.interrupted instanceof ShuttingDown)) throw result.interrupted;
    failSpan('interrupted');
    return this.moveOf(job).interrupt(result.interrupted.message).park(step, 0);
  }

  private succeeded(job: Job, step: Step, outcome: StepOutcome, hold: Hold): Transition {
    this.logger.debug(`${nameOf(job)}: ${step} done`);
    const move = this.moveOf(job).succeed(outcome);
    return this.goOn(move, stepAfter(move.job, step), hold);
  }

  private failed(job: Job, step: Step, failure: StepFailure): Transition {
    failSpan(failure.podLost ? 'pod_lost' : failure.retryable ? 'retryable' : 'final');
    const move = this.moveOf(job).fail(failure.message);
    const verdict = afterFailure(job, step, failure, this.limits, this.clock.now());
    if ('giveUp' in verdict) {
      this.logger.error(`${nameOf(job)}: gives up at ${step}: ${failure.message}`);
      return move.giveUp(verdict.giveUp);
    }
    this.logger.warn(`${nameOf(job)}: attempt ${job.attempt} at ${step} failed: ${failure.message}; the next in ${verdict.retryInMs} ms`);
    return move.park(step, verdict.retryInMs);
  }

  private async conclude(job: Job, { lease }: Hold): Promise<Transition> {
    try {
      const { podKept, pods } = await untilAborted((signal) => this.cleanup.run(job, signal), lease.signal);
      return this.moveOf(job).finishFailed(podKept, pods);
    } catch (error) {
      // The ending is on record: the next worker carries it out.
      if (lease.signal.reason instanceof ShuttingDown) return this.moveOf(job).park(job.step, 0);
      throw error;
    }
  }

  private done(job: Job): RunResult {
    this.metrics.jobEnded(job, this.clock.now());
    if (job.ending === null) this.logger.log(`${nameOf(job)}: done`);
    else this.logger.error(`${nameOf(job)}: failed with ${job.ending.code}: ${job.ending.message}`);
    return { ended: 'done' };
  }

  private moveOf(job: Job): Transition {
    return new Transition(job, this.clock.now());
  }

  /** @throws LeaseLost */
  private async commit(advance: Advance, { worker }: Hold): Promise<Job> {
    const written = await this.jobs.advance(advance, worker, this.leaseMs);
    if (written === null) throw new LeaseLost('another worker has the job');
    return written;
  }
}

function nameOf({ kind, workspaceId, generation }: Job): string {
  return `${kind} ${workspaceId}/${generation}`;
}
