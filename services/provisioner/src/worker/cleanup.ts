import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { PodAccess } from '../inventory/pod-access';
import type { Job } from '../jobs/job';
import { JobsRepository } from '../jobs/jobs.repository';
import type { PodChange } from '../jobs/record-changes';
import type { PodDriver, PodIdentity } from '../pods/pod-driver';
import { POD_DRIVER } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import { newPodOf, oldPodOf } from '../steps/step';

/** What became of the pods of a job that gave up. */
export interface CleanedUp {
  /** The older pod is up and takes tasks. */
  readonly podKept: boolean;
  readonly pods: readonly PodChange[];
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;

/** What is done for a workspace before a job that gave up ends. Idempotent: a worker that dies in it leaves it to the next. */
@Injectable()
export class Cleanup {
  private readonly logger = new Logger(Cleanup.name);

  constructor(
    private readonly pods: PodAccess,
    private readonly jobs: JobsRepository,
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
    private readonly config: ProvisionerConfig,
  ) {}

  /** @throws the signal's reason once it is aborted; nothing else: what cannot be cleaned up is said in the answer */
  async run(job: Job, signal: AbortSignal): Promise<CleanedUp> {
    switch (job.ending?.cleanup) {
      case 'let-go':
        return this.letGo(job, signal);
      case 'discard':
        return this.discard(newPodOf(job), signal);
      case 'none':
      case undefined:
        return { podKept: false, pods: [] };
    }
  }

  /** A pod that cannot be told to go on is still not torn down, since nothing has its state: a resume finds it again, and saves it if it can. */
  private async letGo(job: Job, signal: AbortSignal): Promise<CleanedUp> {
    const pod = oldPodOf(job);
    try {
      return await this.retried(signal, async () => {
        const found = await this.pods.find(pod);
        if (found === 'gone') return { podKept: false, pods: [{ ...pod, status: 'lost' as const }] };
        if (found === 'starting') throw new Error('its agent does not listen');
        // A late word of a worker that lost the job would set a pod to work in the middle of the next job's snapshot.
        if ((await this.jobs.fenceOf(job)) === null) throw new Error('the lease is lost');
        await found.agent.resumeWork();
        return { podKept: true, pods: [{ ...pod, status: 'live' as const }] };
      });
    } catch (error) {
      signal.throwIfAborted();
      this.logger.error(`Pod ${pod.generation} cannot be let go on: ${(error as Error).message}`);
      return { podKept: false, pods: [] };
    }
  }

  private async discard(pod: PodIdentity, signal: AbortSignal): Promise<CleanedUp> {
    try {
      await this.retried(signal, () => this.driver.remove(pod, { graceSeconds: this.config.podGraceSeconds }));
      return { podKept: false, pods: [{ ...pod, status: 'gone' }] };
    } catch (error) {
      signal.throwIfAborted();
      this.logger.error(`The half-made pod ${pod.generation} is left to the reconciler: ${(error as Error).message}`);
      return { podKept: false, pods: [{ ...pod, status: 'removing' }] };
    }
  }

  private async retried<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (attempt >= ATTEMPTS) throw error;
        await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { signal });
      }
    }
  }
}
