import { Inject, Injectable } from '@nestjs/common';
import type { Step } from '@reprise/contracts';
import { Clock } from '@reprise/platform';
import type { Job, StepFailure } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { ProvisionerConfig } from '../provisioner.config';
import { failureOf, STEP_HANDLERS, type StepHandlers } from '../steps/step';
import { untilAborted } from './until-aborted';

/** How an attempt at a step ended. `interrupted`: by the lease's signal, not by itself. */
export type StepResult = { readonly outcome: StepOutcome } | { readonly failure: StepFailure } | { readonly interrupted: Error };

const TRANSFERS: ReadonlySet<Step> = new Set<Step>(['snapshot', 'verify', 'restore']);

/** Runs one attempt at a step within its time. Never rejects. */
@Injectable()
export class StepRunner {
  constructor(
    @Inject(STEP_HANDLERS) private readonly handlers: StepHandlers,
    private readonly config: ProvisionerConfig,
    private readonly clock: Clock,
  ) {}

  begins(step: Step): (job: Job) => RecordChanges {
    return (job) => this.handlers[step].begins(job);
  }

  async run(job: Job, step: Step, leaseSignal: AbortSignal): Promise<StepResult> {
    const seconds = this.secondsFor(job, step);
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error(`${step} took longer than ${seconds} s`)), seconds * 1_000);
    try {
      const signal = AbortSignal.any([leaseSignal, timeout.signal]);
      return { outcome: await untilAborted((given) => this.handlers[step].run(job, given), signal) };
    } catch (error) {
      if (leaseSignal.aborted) return { interrupted: leaseSignal.reason as Error };
      if (timeout.signal.aborted) return { failure: failureOf(timeout.signal.reason) };
      return { failure: failureOf(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Its own limit, and never past the job's deadline; at least a second, or nothing could ever be tried. */
  private secondsFor({ deadlineAt }: Job, step: Step): number {
    const limit = TRANSFERS.has(step) ? this.config.transferTimeoutSeconds : this.config.stepTimeoutSeconds;
    const left = (deadlineAt.getTime() - this.clock.now().getTime()) / 1_000;
    return Math.max(1, Math.min(limit, Math.round(left)));
  }
}
