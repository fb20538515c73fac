import type { PodIdentity } from '../pod-driver';
import type { KubeApi } from './kube-api';
import { KubeError } from './kube-error';
import type { KubeClaim, KubeList } from './kube-objects';
import { identityIn, LABEL, selectorOf } from './names';

/** A claim that is not on its way out. */
export interface Claim extends PodIdentity {
  readonly name: string;
  /** When it was made, in the API's own words. */
  readonly made: string;
}

/** A list is read in pages, as that of the pods is. */
const PAGE = 500;

/**
 * The claims that hold the workspaces of pods, where each pod has one (`POD_STORAGE=pvc`). They outlive their pods: what a lost pod left is on them.
 * Where pods have none the API is not asked, and no right to do so is needed.
 */
export class Claims {
  private readonly path: string;

  constructor(
    private readonly api: KubeApi,
    namespace: string,
    private readonly instance: string,
    /** Whether new pods have claims. */
    private readonly isUsed: boolean,
  ) {
    this.path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  }

  /** Made by another replica meanwhile, it is the same. */
  async make(claim: KubeClaim): Promise<void> {
    await this.api.create(this.path, claim).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.status === 409)) throw error;
    });
  }

  /**
   * Those of a workspace, or of all.
   * @param isNamed whether a pod names one, made with other settings perhaps
   */
  async list({ workspaceId, isNamed }: { workspaceId?: string; isNamed: boolean }): Promise<Claim[]> {
    if (!this.isUsed && !isNamed) return [];
    const labelSelector = selectorOf(this.instance) + (workspaceId === undefined ? '' : `,${LABEL.workspace}=${workspaceId}`);
    const found: Claim[] = [];
    let next: string | undefined;
    do {
      const page: KubeList<KubeClaim> = await this.api.list(this.path, { labelSelector, limit: PAGE, continue: next });
      found.push(...page.items.flatMap(({ metadata }) => this.claimIn(metadata) ?? []));
      next = page.metadata.continue;
    } while (next);
    return found;
  }

  /** Removes all that this pod ever had. The cluster keeps each until no pod uses it, and nobody waits for that. */
  async remove(pod: PodIdentity, named: string | null): Promise<void> {
    const claims = await this.list({ workspaceId: pod.workspaceId, isNamed: named !== null });
    const own = claims.filter(({ generation }) => generation === pod.generation);
    for (const { name } of own) await this.api.delete(`${this.path}/${name}`, { propagationPolicy: 'Background' });
  }

  private claimIn(metadata: KubeClaim['metadata']): Claim | null {
    const identity = identityIn(metadata, this.instance);
    if (identity === null || metadata.deletionTimestamp !== undefined) return null;
    return { ...identity, name: metadata.name!, made: metadata.creationTimestamp ?? '' };
  }
}

/** Where the files of this pod are: on the claim that it names or, where nothing of it is left but claims, on the newest of its own. */
export function claimFor(pod: PodIdentity, named: string | null, claims: readonly Claim[]): Claim | null {
  const own = claims.filter((it) => it.workspaceId === pod.workspaceId && it.generation === pod.generation);
  if (named !== null) return own.find(({ name }) => name === named) ?? null;
  return own.sort((one, other) => (one.made < other.made ? -1 : 1)).at(-1) ?? null;
}
