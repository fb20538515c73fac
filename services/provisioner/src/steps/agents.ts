import { Injectable } from '@nestjs/common';
import { type FoundPod, PodAccess } from '../inventory/pod-access';
import type { Job } from '../jobs/job';
import type { PodIdentity } from '../pods/pod-driver';
import { newPodOf, oldPodOf, StepError } from './step';

/** A pod whose agent listens. */
export type LivePod = Exclude<FoundPod, string>;

/** The two agents that a job's steps speak with, and what it means when one is gone. */
@Injectable()
export class Agents {
  constructor(private readonly pods: PodAccess) {}

  /**
   * The agent of the pod that is being saved.
   * @throws StepError `pod-lost` where the pod is dead: what it held since its last snapshot cannot be saved, so trying again is no use, and
   * going on would pass an older state off as the present one. The job fails with `pod_lost` and no pod kept; a resume begins from the last
   * good snapshot.
   */
  old(job: Job): Promise<LivePod> {
    return this.find(oldPodOf(job), 'pod-lost');
  }

  /** The agent of the pod that is being made. @throws StepError `final` where it died: the job's clean-up removes what is left of it. */
  fresh(job: Job): Promise<LivePod> {
    return this.find(newPodOf(job), 'final');
  }

  private async find(pod: PodIdentity, whenGone: 'pod-lost' | 'final'): Promise<LivePod> {
    const found = await this.pods.find(pod);
    if (found === 'gone') throw new StepError(`The agent of pod ${pod.generation} is gone.`, whenGone);
    if (found === 'starting') throw new StepError(`The agent of pod ${pod.generation} does not listen.`, 'retryable');
    return found;
  }
}
