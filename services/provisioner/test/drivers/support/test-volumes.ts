import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi } from '../../../src/pods/kubernetes/kube-api';
import { KubeError } from '../../../src/pods/kubernetes/kube-error';
import type { KubeClaim, KubeList, KubePod } from '../../../src/pods/kubernetes/kube-objects';
import { claimIn } from '../../../src/pods/kubernetes/pod-object';

type ProtectedClaim = KubeClaim & { metadata: { finalizers?: string[] } };

const POLL_MS = 50;

/** What a cluster does about claims: a directory for each, which is there until its claim is deleted and no pod that has not ended uses it. */
export class TestVolumes {
  private readonly path: string;
  private running: Promise<void> | undefined;

  constructor(
    private readonly api: KubeApi,
    private readonly namespace: string,
    private readonly directory: string,
    private readonly stopping: AbortSignal,
  ) {
    this.path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  }

  /** Where this pod's workspace is: in `own`, or on its claim once that is there; null where that is waited for no longer. */
  async workspaceOf(pod: KubePod, own: string, isWanted: () => boolean): Promise<string | null> {
    const name = claimIn(pod);
    if (name === null) {
      mkdirSync(own, { recursive: true });
      return own;
    }
    this.running ??= this.reclaim();
    while (isWanted()) {
      const claim = await this.api.get<KubeClaim>(`${this.path}/${name}`);
      if (claim && claim.metadata.deletionTimestamp === undefined) {
        const directory = this.directoryOf(claim);
        mkdirSync(directory, { recursive: true });
        return directory;
      }
      await sleep(POLL_MS);
    }
    return null;
  }

  async stop(): Promise<void> {
    await this.running;
  }

  /** The controller that gives a deleted claim up once nothing uses it. */
  private async reclaim(): Promise<void> {
    while (!this.stopping.aborted) {
      try {
        const claims = await this.api.list<KubeList<ProtectedClaim>>(this.path, {});
        for (const claim of claims.items) if (claim.metadata.deletionTimestamp !== undefined) await this.giveUp(claim);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
      }
      await sleep(POLL_MS, undefined, { signal: this.stopping }).catch(() => undefined);
    }
  }

  private async giveUp(claim: ProtectedClaim): Promise<void> {
    const pods = await this.api.list<KubeList<KubePod>>(`/api/v1/namespaces/${this.namespace}/pods`, {});
    const isUsed = pods.items.some(
      (pod) => claimIn(pod) === claim.metadata.name && pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded',
    );
    if (isUsed) return;
    rmSync(this.directoryOf(claim), { recursive: true, force: true });
    await this.api.replace(`${this.path}/${claim.metadata.name}`, { ...claim, metadata: { ...claim.metadata, finalizers: [] } });
  }

  private directoryOf({ metadata }: KubeClaim): string {
    return join(this.directory, `claim-${metadata.uid}`);
  }
}
