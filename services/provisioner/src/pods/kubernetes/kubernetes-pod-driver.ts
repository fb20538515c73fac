import { type PodDriver, PodError, type PodHandle, type PodIdentity, type PodSpec, type PodState, type RemoveOptions } from '../pod-driver';
import { assertIdentity, assertSpec } from '../spec-rules';
import { Fence } from './fence';
import type { KubeApi } from './kube-api';
import { asPodError } from './kube-error';
import { nameOf } from './names';
import { Owner } from './owner';
import { PodClient } from './pod-client';
import { PodMaker } from './pod-maker';
import { assertImage, type PodMaking } from './pod-object';
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

/**
 * A pod is a bare Pod, named by its workspace. The provisioner is its controller: there is no Deployment between that would make another one, and
 * nothing but a delete that the kubelet confirms ends one. What is told comes from one watch; what must be true at the moment is read.
 */
export class KubernetesPodDriver implements PodDriver {
  private readonly watch: PodWatch;
  private readonly pods: PodClient;
  private readonly waiter: PodWaiter;
  private readonly maker: PodMaker;

  constructor(
    api: KubeApi,
    private readonly options: KubernetesDriverOptions,
  ) {
    const { namespace, instance, agentPort, owner } = options;
    this.watch = new PodWatch(api, { path: `/api/v1/namespaces/${namespace}/pods`, instance, agentPort });
    this.pods = new PodClient(api, this.watch.cache, options);
    this.waiter = new PodWaiter(this.watch, this.pods);
    this.maker = new PodMaker(this.pods, new Fence(api, namespace, instance), new Owner(api, namespace, owner), this.waiter, {
      making: options,
      startTimeoutMs: options.startTimeoutMs,
      removeTimeoutMs: this.removeTimeoutMs,
    });
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

  salvage(): Promise<PodHandle> {
    return Promise.reject(new PodError('nothing_left', 'its volume went with it'));
  }

  async remove(pod: PodIdentity, { graceSeconds }: RemoveOptions): Promise<void> {
    assertIdentity(pod);
    await answering('remove', async () => {
      const found = await this.ofIdentity(pod);
      if (found !== null) await this.waiter.end(found, graceSeconds, Math.max(1, graceSeconds) * 1_000 + this.removeTimeoutMs);
      this.watch.cache.forgetDeparted(pod);
    });
  }

  async inspect(pod: PodIdentity): Promise<PodState | null> {
    assertIdentity(pod);
    const known = this.watch.cache.get(nameOf(pod.workspaceId));
    // Good news from the watch may be a moment old: then its agent does not answer, and is asked for again. That it is dead or not there is read.
    if (this.watch.isCurrent && known?.phase === 'running' && known.generation === pod.generation) return stateOf(known);
    return answering('inspect', async () => {
      const found = await this.ofIdentity(pod);
      return found && stateOf(found);
    });
  }

  async list(): Promise<PodState[]> {
    return answering('list', async () => {
      await this.watch.ready(this.options.listTimeoutMs);
      return this.watch.cache.all().map(stateOf);
    });
  }

  private async ofIdentity(pod: PodIdentity): Promise<PodView | null> {
    const found = await this.pods.read(pod.workspaceId);
    return typeof found === 'string' || found.view.generation !== pod.generation ? null : found.view;
  }

  private get removeTimeoutMs(): number {
    return this.options.removeTimeoutMs ?? REMOVE_TIMEOUT_MS;
  }
}

async function answering<T>(doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw asPodError(error, doing);
  }
}
