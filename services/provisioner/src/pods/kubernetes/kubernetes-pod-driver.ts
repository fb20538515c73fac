import type { PodDriver, PodHandle, PodIdentity, PodSpec, PodState, RemoveOptions } from '../pod-driver';
import { assertIdentity, assertSpec } from '../spec-rules';
import { type Claim, claimFor, Claims } from './claims';
import { Fence } from './fence';
import type { KubeApi } from './kube-api';
import { asPodError } from './kube-error';
import { nameOf } from './names';
import { Owner } from './owner';
import { PodClient } from './pod-client';
import { PodMaker } from './pod-maker';
import { assertImage, type PodMaking } from './pod-object';
import { PodSalvage } from './pod-salvage';
import { PodStart } from './pod-start';
import { stateOf, type PodView } from './pod-view';
import { PodWaiter } from './pod-waiter';
import { PodWatch } from './pod-watch';

export interface KubernetesDriverOptions extends PodMaking {
  /** Such as `configmap/reprise-pods`: what owns all that the driver makes; null for nothing. */
  readonly owner: string | null;
  /** How long a pod may take until its agent listens: finding a node and pulling the image included. */
  readonly startTimeoutMs: number;
  /** How long the API may take to tell of all pods. */
  readonly listTimeoutMs: number;
  /** How long, past its grace, a pod may take until it is confirmed gone. */
  readonly removeTimeoutMs?: number;
}

const REMOVE_TIMEOUT_MS = 30_000;
/** How many pods are read at once. */
const READ_AT_ONCE = 16;

/**
 * A pod is a bare Pod, named by its workspace. The provisioner is its controller: there is no Deployment between that would make another one, and
 * nothing but a delete that the kubelet confirms ends one. What is told comes from one watch; what must be true at the moment is read.
 */
export class KubernetesPodDriver implements PodDriver {
  private readonly watch: PodWatch;
  private readonly pods: PodClient;
  private readonly waiter: PodWaiter;
  private readonly maker: PodMaker;
  private readonly claims: Claims;
  private readonly fence: Fence;
  private readonly salvages: PodSalvage;

  constructor(
    api: KubeApi,
    private readonly options: KubernetesDriverOptions,
  ) {
    const { namespace, instance, agentPort, owner } = options;
    this.watch = new PodWatch(api, { path: `/api/v1/namespaces/${namespace}/pods`, instance, agentPort });
    this.pods = new PodClient(api, this.watch.cache, options);
    this.waiter = new PodWaiter(this.watch, this.pods);
    this.claims = new Claims(api, namespace, instance, options.storage.kind === 'pvc');
    const fence = (this.fence = new Fence(api, namespace, instance));
    const owners = new Owner(api, namespace, owner);
    const starts = new PodStart(this.pods, this.waiter);
    const making = { making: options, startTimeoutMs: options.startTimeoutMs, removeTimeoutMs: this.removeTimeoutMs };
    this.maker = new PodMaker(this.pods, this.claims, fence, owners, this.waiter, starts, making);
    this.salvages = new PodSalvage(this.pods, this.claims, owners, this.waiter, starts, making);
  }

  /** Ends the watch; for tests, as no process is kept alive by it. */
  async close(): Promise<void> {
    await this.watch.stop();
  }

  async create(spec: PodSpec): Promise<PodHandle> {
    assertSpec(spec);
    assertImage(spec.runtime.image);
    nameOf(spec.workspaceId);
    return answering('create', () => this.maker.create(spec));
  }

  async salvage(spec: PodSpec): Promise<PodHandle> {
    assertSpec(spec);
    nameOf(spec.workspaceId);
    return answering('salvage', () => this.salvages.salvage(spec));
  }

  async remove(pod: PodIdentity, { graceSeconds }: RemoveOptions): Promise<void> {
    assertIdentity(pod);
    await answering('remove', async () => {
      const found = await this.ofIdentity(pod);
      if (found !== null) await this.waiter.end(found, graceSeconds, Math.max(1, graceSeconds) * 1_000 + this.removeTimeoutMs);
      await this.claims.remove(pod, found?.claim ?? null);
      this.watch.cache.forgetDeparted(pod);
    });
  }

  async inspect(pod: PodIdentity): Promise<PodState | null> {
    assertIdentity(pod);
    const known = this.watch.cache.get(nameOf(pod.workspaceId));
    // Good news from the watch may be a moment old: then its agent does not answer, and is asked for again. That it is dead or not there is read.
    if (this.watch.isCurrent && known?.phase === 'running' && known.generation === pod.generation) {
      return stateOf(known, known.claim !== null);
    }
    return answering('inspect', async () => {
      const found = await this.ofIdentity(pod);
      if (found !== null && found.claim === null) return stateOf(found, false);
      const claims = await this.claims.list({ workspaceId: pod.workspaceId, isNamed: found !== null });
      return this.stateOf(pod, found, claims);
    });
  }

  async list(): Promise<PodState[]> {
    return answering('list', async () => {
      await this.watch.ready(this.options.listTimeoutMs);
      const isNamed = this.watch.cache.all().some(({ claim }) => claim !== null);
      const claims = groupedByPod(await this.claims.list({ isNamed }));
      const views = this.watch.cache.all();
      const pods = views.map((view) => this.stateOf(view, view, claims.get(keyOf(view)) ?? []));
      for (const view of views) claims.delete(keyOf(view));
      return [...pods, ...(await this.remains([...claims.values()]))].filter((state) => state !== null);
    });
  }

  fences(): Promise<PodIdentity[]> {
    return answering('list', () => this.fence.all());
  }

  /** What seems to have a claim and no pod. Each is looked at: the watch may not have told of its pod yet. */
  private async remains(claims: readonly (readonly Claim[])[]): Promise<(PodState | null)[]> {
    const states: (PodState | null)[] = [];
    for (let at = 0; at < claims.length; at += READ_AT_ONCE) {
      const some = claims.slice(at, at + READ_AT_ONCE);
      states.push(...(await Promise.all(some.map(async (own) => this.stateOf(own[0]!, await this.ofIdentity(own[0]!), own)))));
    }
    return states;
  }

  /** Of a pod or, where it is gone, of what it left: its claim may still be there. */
  private stateOf({ workspaceId, generation }: PodIdentity, view: PodView | null, claims: readonly Claim[]): PodState | null {
    const claim = claimFor({ workspaceId, generation }, view?.claim ?? null, claims);
    if (view !== null) return stateOf(view, view.claim !== null && (view.phase !== 'dead' || claim !== null));
    return claim && { workspaceId, generation, phase: 'dead', address: null, ref: null, salvageable: true, end: null };
  }

  private async ofIdentity(pod: PodIdentity): Promise<PodView | null> {
    const found = await this.pods.read(pod.workspaceId);
    return typeof found === 'string' || found.view.generation !== pod.generation ? null : found.view;
  }

  private get removeTimeoutMs(): number {
    return this.options.removeTimeoutMs ?? REMOVE_TIMEOUT_MS;
  }
}

function groupedByPod(claims: readonly Claim[]): Map<string, Claim[]> {
  const groups = new Map<string, Claim[]>();
  for (const claim of claims) groups.set(keyOf(claim), [...(groups.get(keyOf(claim)) ?? []), claim]);
  return groups;
}

function keyOf({ workspaceId, generation }: PodIdentity): string {
  return `${workspaceId}/${generation}`;
}

async function answering<T>(doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw asPodError(error, doing);
  }
}
