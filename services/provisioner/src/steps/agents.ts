import { Inject, Injectable } from '@nestjs/common';
import { type FoundPod, PodAccess } from '../inventory/pod-access';
import type { Job } from '../jobs/job';
import { ANY_RUNTIME, type PodDriver, type PodIdentity, type PodSpec } from '../pods/pod-driver';
import { PodKeys } from '../pods/pod-keys';
import { CONNECT_AGENT, type ConnectAgent, POD_DRIVER } from '../ports/tokens';
import { newPodOf, oldPodOf, StepError } from './step';

/** A pod whose agent listens. */
export type LivePod = Exclude<FoundPod, string>;

/** The two agents that a job's steps speak with, and what it means when one is gone. */
@Injectable()
export class Agents {
  constructor(
    private readonly pods: PodAccess,
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
    @Inject(CONNECT_AGENT) private readonly connect: ConnectAgent,
    private readonly keys: PodKeys,
  ) {}

  /**
   * The agent of the pod that is being saved.
   * @throws StepError `pod-lost` where the pod is dead: what it held since its last snapshot cannot be saved, so trying again is no use, and
   * going on would pass an older state off as the present one. The job fails with `pod_lost` and no pod kept; a resume
   * saves what it left. In a job that does so, the agent is one that serves the dead pod's files; it is started anew where it has ended.
   */
  old(job: Job): Promise<LivePod> {
    return job.salvage ? this.salvaged(oldPodOf(job)) : this.find(oldPodOf(job), 'pod-lost');
  }

  /** The agent of the pod that is being made. @throws StepError `final` where it died: the job's clean-up removes what is left of it. */
  fresh(job: Job): Promise<LivePod> {
    return this.find(newPodOf(job), 'final');
  }

  private async salvaged(pod: PodIdentity): Promise<LivePod> {
    const handle = await this.driver.salvage(salvageSpec(pod, this.keys));
    const agent = this.connect(handle);
    const { status } = await agent.health();
    if (status !== 'quiesced') throw new StepError(`The agent cannot salvage: it does not know REPRISE_MODE, and is ${status}.`, 'final');
    return { agent, handle };
  }

  private async find(pod: PodIdentity, whenGone: 'pod-lost' | 'final'): Promise<LivePod> {
    const found = await this.pods.find(pod);
    if (found === 'gone') throw new StepError(`The agent of pod ${pod.generation} is gone.`, whenGone);
    if (found === 'starting') throw new StepError(`The agent of pod ${pod.generation} does not listen.`, 'retryable');
    return found;
  }
}

/** A salvaged pod runs nothing: it needs neither its role nor what the role held. */
function salvageSpec(pod: PodIdentity, keys: PodKeys): PodSpec {
  return {
    ...pod,
    token: keys.token(pod),
    controlKeys: keys.publicKeys(),
    command: null,
    env: {},
    taskTimeoutSeconds: 1,
    environment: null,
    provider: null,
    runtime: ANY_RUNTIME,
  };
}
