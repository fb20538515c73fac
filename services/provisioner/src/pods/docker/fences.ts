import type { PodIdentity } from '../pod-driver';
import type { Engine } from './engine';
import type { Names } from './names';
import { listVolumes } from './volumes';

/**
 * The newest generation ever created of each workspace: an empty volume with its name, which outlives every container. Two that raise it at the
 * same time both leave theirs, and the higher one counts.
 */
export class Fences {
  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
  ) {}

  /** 0 where there was none. */
  async newestGeneration(workspaceId: string): Promise<number> {
    return Math.max(0, ...(await this.of(workspaceId)).map(({ generation }) => generation));
  }

  /** Of every workspace that ever had a pod. */
  async newestGenerations(): Promise<PodIdentity[]> {
    const newest = new Map<string, PodIdentity>();
    for (const fence of await this.of()) {
      if (fence.generation > (newest.get(fence.workspaceId)?.generation ?? 0)) newest.set(fence.workspaceId, fence);
    }
    return [...newest.values()];
  }

  /** Durable once it resolves. */
  async raise(pod: PodIdentity): Promise<void> {
    const volume = { Name: this.names.fence(pod), Labels: this.names.podLabels('fence', pod) };
    await this.engine.call('create volume', (docker, limited) => docker.createVolume({ ...volume, ...limited }));
    const lower = (await this.of(pod.workspaceId)).filter(({ generation }) => generation < pod.generation);
    for (const old of lower) {
      // One that stays changes nothing: the highest counts.
      await this.engine
        .call('remove volume', (docker, limited) => docker.getVolume(this.names.fence(old)).remove(limited))
        .catch(() => undefined);
    }
  }

  private async of(workspaceId?: string): Promise<PodIdentity[]> {
    const whose = workspaceId === undefined ? {} : { workspaceId };
    const volumes = await listVolumes(this.engine, this.names.filter({ ...whose, kind: 'fence' }));
    return volumes.flatMap(({ Labels }) => this.names.identityOf(Labels) ?? []);
  }
}
