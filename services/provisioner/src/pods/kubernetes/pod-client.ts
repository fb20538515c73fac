import type { KubeApi } from './kube-api';
import { KubeError } from './kube-error';
import type { KubePod } from './kube-objects';
import { nameOf } from './names';
import type { PodCache } from './pod-cache';
import { type PodView, viewOf } from './pod-view';
import { secretOf } from './pod-object';

/** A pod of a name: ours, as it is now; `none`; or `foreign`, one that another made, which is never touched. */
export type NamedPod = OurPod | 'none' | 'foreign';
export type OurPod = { readonly object: KubePod; readonly view: PodView };

/** Calls about single pods. What they answer, the cache learns. */
export class PodClient {
  readonly path: string;

  constructor(
    private readonly api: KubeApi,
    private readonly cache: PodCache,
    private readonly where: { readonly namespace: string; readonly instance: string; readonly agentPort: number },
  ) {
    this.path = `/api/v1/namespaces/${where.namespace}/pods`;
  }

  /** As the API has it at this moment, whatever the cache says. */
  async read(workspaceId: string): Promise<NamedPod> {
    const name = nameOf(workspaceId);
    // Before the read: one that was made meanwhile may be there although the read did not find it.
    const known = this.cache.get(name);
    const object = await this.api.get<KubePod>(`${this.path}/${name}`);
    if (known && known.uid !== object?.metadata.uid) this.cache.forget(name, known.uid);
    return object === null ? 'none' : this.learn(object);
  }

  /** Null where there is a pod of this name already. */
  async create(pod: KubePod): Promise<NamedPod | null> {
    try {
      return this.learn(await this.api.create<KubePod>(this.path, pod));
    } catch (error) {
      if (isConflict(error)) return null;
      throw error;
    }
  }

  /** The token, where the pod looks for it; owned by the pod, so that it goes with it. Made by another replica meanwhile, it is the same. */
  async giveToken(pod: KubePod, token: string): Promise<void> {
    const path = `/api/v1/namespaces/${this.where.namespace}/secrets`;
    await this.api.create(path, secretOf(pod, token)).catch((error: unknown) => {
      if (!isConflict(error)) throw error;
    });
  }

  /**
   * Asks for the end of just this pod. A grace of nothing would take it off the books without asking whether it still runs, so a second is the
   * least.
   */
  async delete({ name, uid, workspaceId }: PodView, graceSeconds: number): Promise<void> {
    const options = { gracePeriodSeconds: Math.max(1, Math.ceil(graceSeconds)), preconditions: { uid }, propagationPolicy: 'Background' };
    const answer = await this.api.delete<KubePod>(`${this.path}/${name}`, options).catch(async (error: unknown) => {
      if (!isConflict(error)) throw error;
      // Another pod has this name by now; or this one has it, and something in the cluster objects to its end.
      const found = await this.read(workspaceId);
      if (typeof found !== 'string' && found.view.uid === uid) throw error;
      return null;
    });
    if (answer === null) this.cache.forget(name, uid);
  }

  private learn(object: KubePod): NamedPod {
    const view = viewOf(object, this.where.instance, this.where.agentPort);
    if (view === null) return 'foreign';
    this.cache.saw(view);
    return { object, view };
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409;
}
