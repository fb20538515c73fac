import type { PodDriver, PodHandle, PodIdentity, PodState } from '@reprise/provisioner/dist/pods/pod-driver';

const ADDRESS = 'http://127.0.0.1:9';

/** Every pod that is asked for is there at once and listens; none is ever found that nobody asks for. */
export class NoopPodDriver implements PodDriver {
  create({ workspaceId, generation }: PodIdentity): Promise<PodHandle> {
    return Promise.resolve({ workspaceId, generation, address: ADDRESS });
  }

  salvage(pod: PodIdentity): Promise<PodHandle> {
    return this.create(pod);
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }

  inspect({ workspaceId, generation }: PodIdentity): Promise<PodState> {
    return Promise.resolve({ workspaceId, generation, phase: 'running', address: ADDRESS, ref: null, salvageable: false, end: null });
  }

  list(): Promise<PodState[]> {
    return Promise.resolve([]);
  }

  fences(): Promise<PodIdentity[]> {
    return Promise.resolve([]);
  }
}
