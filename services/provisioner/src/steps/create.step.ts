import { Inject, Injectable } from '@nestjs/common';
import { PodsRepository } from '../inventory/pods.repository';
import type { Job } from '../jobs/job';
import { JobsRepository } from '../jobs/jobs.repository';
import type { PodChange, RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import type { PodDriver } from '../pods/pod-driver';
import { POD_DRIVER } from '../ports/tokens';
import { stateFrom } from '../jobs/job.rules';
import { ProvisionerConfig } from '../provisioner.config';
import { PodSpecs } from './pod-specs';
import { newPodOf, StepError, type StepHandler } from './step';

/**
 * A fresh pod that listens and takes no tasks yet. A half-made one of an earlier attempt is adopted where it lives, and removed and made again
 * where it does not. Older pods that are still on record are removed first: those worth saving have been saved by the steps before.
 */
@Injectable()
export class CreateStep implements StepHandler {
  readonly step = 'create';

  constructor(
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
    private readonly jobs: JobsRepository,
    private readonly pods: PodsRepository,
    private readonly specs: PodSpecs,
    private readonly config: ProvisionerConfig,
  ) {}

  begins(job: Job): RecordChanges {
    return { pods: [{ ...newPodOf(job), status: 'creating' }] };
  }

  async run(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    const removed = await this.clearTheWay(job, signal);
    await this.removeDeadOne(job);
    // The last look at the fence stands right before the pod is made; the driver has its own, for what happens after it.
    const highest = await this.jobs.fenceOf(job);
    if (highest !== job.generation) throw new StepError(fenced(job, highest), 'final');
    signal.throwIfAborted();
    const { address } = await this.driver.create(this.specs.of(job));
    return {
      ...(stateFrom(job) === 'empty' ? { detail: 'state: empty' } : {}),
      records: { pods: [...removed, { ...newPodOf(job), status: 'creating', address }] },
    };
  }

  private async clearTheWay(job: Job, signal: AbortSignal): Promise<PodChange[]> {
    const removed: PodChange[] = [];
    for (const { generation, status } of await this.pods.olderThan(job.workspaceId, job.generation)) {
      const unsaved = status === 'live' || status === 'lost';
      // What it held is saved by the steps before, or was found to be beyond saving, or to be discarded, before the first one.
      if (unsaved && job.stateLost === null) throw new StepError(`Pod ${generation} is ${status} and not saved.`, 'final');
      signal.throwIfAborted();
      const pod = { workspaceId: job.workspaceId, generation };
      await this.driver.remove(pod, { graceSeconds: this.config.podGraceSeconds });
      removed.push({ ...pod, status: 'gone', unsaved });
    }
    return removed;
  }

  private async removeDeadOne(job: Job): Promise<void> {
    const pod = newPodOf(job);
    if (job.attempt === 1) return;
    const state = await this.driver.inspect(pod);
    if (state?.phase === 'dead') await this.driver.remove(pod, { graceSeconds: 0 });
  }
}

function fenced({ generation }: Job, highest: number | null): string {
  return highest === null
    ? 'This worker has lost the job: no pod is made.'
    : `Generation ${generation} is fenced: ${highest} was accepted. No pod is made.`;
}
