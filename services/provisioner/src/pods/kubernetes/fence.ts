import { PodError, type PodIdentity } from '../pod-driver';
import type { KubeApi } from './kube-api';
import { KubeError } from './kube-error';
import type { KubeLease, KubeList, OwnerReference } from './kube-objects';
import { LABEL, nameOf, selectorOf, workspaceLabels } from './names';

const GENERATION = 'reprise.dev/newest-generation';
const PAGE = 500;

/**
 * The newest generation of a workspace that was ever to be created: a Lease, which outlives its pods, raised by compare-and-swap on its
 * resourceVersion. Its holder is the workspace and generation, so that `kubectl get leases` shows the fences.
 */
export class Fence {
  constructor(
    private readonly api: KubeApi,
    private readonly namespace: string,
    private readonly instance: string,
  ) {}

  /** The Lease as it is; null where no pod of the workspace was ever made. */
  read(workspaceId: string): Promise<KubeLease | null> {
    return this.api.get<KubeLease>(this.pathOf(workspaceId));
  }

  /** Of every workspace that ever had a pod. */
  async all(): Promise<PodIdentity[]> {
    const found: PodIdentity[] = [];
    let next: string | undefined;
    do {
      const query = { labelSelector: selectorOf(this.instance), limit: PAGE, continue: next };
      const page: KubeList<KubeLease> = await this.api.list(this.path, query);
      for (const lease of page.items) {
        const workspaceId = lease.metadata.labels?.[LABEL.workspace];
        // One that cannot be read keeps only its own workspace from a new pod.
        const generation = Number(lease.metadata.annotations?.[GENERATION]);
        if (workspaceId !== undefined && Number.isSafeInteger(generation)) found.push({ workspaceId, generation });
      }
      next = page.metadata.continue;
    } while (next);
    return found;
  }

  /** @throws PodError `stale_generation` where a newer one was created */
  assertNotStale(lease: KubeLease | null, { generation }: PodIdentity): void {
    const newest = generationIn(lease);
    if (newest > generation) throw new PodError('stale_generation', `generation ${newest} was created before`);
  }

  /**
   * Raises it to this generation from what was read.
   * @returns whether it stands there now; not so where another one wrote it meanwhile: read again
   */
  async raise(read: KubeLease | null, pod: PodIdentity, owners: readonly OwnerReference[]): Promise<boolean> {
    if (generationIn(read) >= pod.generation) return true;
    const raised: KubeLease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        ...(read?.metadata ?? { name: nameOf(pod.workspaceId), ownerReferences: owners }),
        labels: { ...read?.metadata.labels, ...workspaceLabels(pod.workspaceId, this.instance) },
        annotations: { ...read?.metadata.annotations, [GENERATION]: String(pod.generation) },
      },
      spec: { ...read?.spec, holderIdentity: `${pod.workspaceId}/${pod.generation}` },
    };
    try {
      if (read === null) await this.api.create(this.path, raised);
      else await this.api.replace(this.pathOf(pod.workspaceId), raised);
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.status === 409) return false;
      throw error;
    }
  }

  private get path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.namespace}/leases`;
  }

  private pathOf(workspaceId: string): string {
    return `${this.path}/${nameOf(workspaceId)}`;
  }
}

function generationIn(lease: KubeLease | null): number {
  if (lease === null) return 0;
  const generation = Number(lease.metadata.annotations?.[GENERATION]);
  // A fence that cannot be read may have been any: nothing is made past it.
  if (!Number.isSafeInteger(generation)) {
    throw new PodError('denied', `the Lease ${lease.metadata.name} has no generation in its annotation ${GENERATION}`);
  }
  return generation;
}
