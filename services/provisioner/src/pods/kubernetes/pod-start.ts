import { PodError, type PodHandle, type PodSpec } from '../pod-driver';
import type { OurPod, PodClient } from './pod-client';
import { describe, type PodView } from './pod-view';
import type { PodWaiter } from './pod-waiter';

/** Sees a pod through from its making until its agent listens. */
export class PodStart {
  constructor(
    private readonly pods: PodClient,
    private readonly waiter: PodWaiter,
  ) {}

  /** @throws PodError saying why it does not */
  async listening(spec: PodSpec, pod: OurPod, withinMs: number): Promise<PodHandle> {
    const isDecided = ({ phase, trouble, terminating }: PodView): boolean => phase !== 'starting' || trouble?.final === true || terminating;
    const ready = await this.waiter.until(pod.view, isDecided, withinMs);
    if (ready?.phase === 'running' && ready.address !== null) {
      return { workspaceId: spec.workspaceId, generation: spec.generation, address: ready.address };
    }
    if (ready === null) throw new PodError('start_failed', 'it was taken away while it started');
    throw await this.notStarted(ready);
  }

  /** What did not start is told why; what might still start, but took too long, is ended: the next attempt makes another one. */
  private async notStarted(pod: PodView): Promise<PodError> {
    const { phase, trouble, terminating } = pod;
    if (phase === 'dead' && trouble === null) return new PodError('start_failed', describe(pod));
    if (terminating) return new PodError('start_failed', `it was deleted while it started: ${describe(pod)}`);
    // Its end is not waited for: the next create and the job's clean-up do.
    await this.pods.delete(pod, 0).catch(() => undefined);
    if (trouble === null || trouble.reason === 'waiting')
      return new PodError('start_timeout', `the agent did not listen in time: ${describe(pod)}`);
    return new PodError(trouble.reason, trouble.detail);
  }
}
