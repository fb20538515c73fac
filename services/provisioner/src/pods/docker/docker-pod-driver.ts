import { setTimeout as sleep } from 'node:timers/promises';
import { PodError, type PodDriver, type PodHandle, type PodIdentity, type PodSpec, type PodState, type RemoveOptions } from '../pod-driver';
import { assertIdentity, assertSpec } from '../spec-rules';
import { isAlive, PodContainers, type PodContainer } from './containers';
import type { PodDefaults } from './container-options';
import { Engine } from './engine';
import { answering, podError } from './engine-error';
import { Fences } from './fences';
import { Names } from './names';
import { PodMaker } from './pod-maker';
import { PodNetworks } from './pod-networks';
import { PodStart } from './pod-start';
import { addressOf, endOf, listens } from './pod-state';
import { ServiceContainers } from './service-containers';
import type { Subnet } from './subnets';
import { listVolumes, removeVolume } from './volumes';

export interface DockerDriverOptions {
  /** The engine: `unix:///path/to.sock` or `tcp://host:port`. */
  readonly host: string;
  /** Whose pods these are: installations that share an engine have different ones, and do not see each other's. */
  readonly instance: string;
  /** The network of all pods, where they have none of their own; made where it is missing. */
  readonly network: string;
  /** What the networks of pods are cut out of, where each pod has its own; null where all share one. */
  readonly podSubnets: Subnet | null;
  /** The image that holds the agent, and is the pod's where its role names none. */
  readonly agentImage: string;
  /** Where a pod finds the gateway. */
  readonly gatewayUrl: string;
  readonly defaults: PodDefaults;
  /** How long one call to the engine may take. */
  readonly callTimeoutMs: number;
  /** How long an image may take to be pulled. */
  readonly pullTimeoutMs: number;
  /** How long an agent may take until it answers. */
  readonly startTimeoutMs: number;
  /** How long to wait for another one's work at the same workspace. */
  readonly lockTimeoutMs?: number;
  /** Told why a container of Reprise cannot join the network of a pod that lives. */
  readonly notJoined?: (why: string) => void;
}

const LOCK_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/**
 * A pod is a container, with its workspace in a volume. The container's name is the workspace's, so that the engine itself keeps a second pod of
 * it out; which generation it is stands in its labels. See docs/adr/0017-pods-as-containers.md.
 */
export class DockerPodDriver implements PodDriver {
  private readonly names: Names;
  private readonly engine: Engine;
  private readonly containers: PodContainers;
  private readonly fenceVolumes: Fences;
  private readonly services: ServiceContainers;
  private readonly networks: PodNetworks;
  private readonly maker: PodMaker;
  private readonly starts: PodStart;

  constructor(private readonly options: DockerDriverOptions) {
    this.names = new Names(options.instance);
    this.engine = new Engine(options);
    this.containers = new PodContainers(this.engine, this.names);
    this.fenceVolumes = new Fences(this.engine, this.names);
    this.services = new ServiceContainers(this.engine, this.names, new URL(options.gatewayUrl).hostname);
    this.networks = new PodNetworks(this.engine, this.names, this.services);
    this.maker = new PodMaker(this.engine, this.names, this.networks, options);
    this.starts = new PodStart(this.containers, options.startTimeoutMs);
  }

  async create(spec: PodSpec): Promise<PodHandle> {
    assertSpec(spec);
    return this.untilMade(spec, () => this.attempt(spec));
  }

  async salvage(spec: PodSpec): Promise<PodHandle> {
    assertSpec(spec);
    return this.untilMade(spec, () => this.attemptSalvage(spec));
  }

  async remove(pod: PodIdentity, { graceSeconds }: RemoveOptions): Promise<void> {
    assertIdentity(pod);
    await answering(async () => {
      const containers = await this.containers.of(pod);
      await Promise.all(
        containers.map(async (container) => {
          if (isAlive(container) && graceSeconds > 0) await this.containers.stop(container.id, graceSeconds);
          await this.containers.remove(container.id);
        }),
      );
      if (!(await removeVolume(this.engine, this.names.files(pod)))) {
        throw podError('not_removed', `its volume ${this.names.files(pod)} is still used`);
      }
      await this.networks.remove(pod);
    });
  }

  async inspect(pod: PodIdentity): Promise<PodState | null> {
    assertIdentity(pod);
    return answering(async () => {
      const states = await this.states(pod.workspaceId);
      return states.find(({ generation }) => generation === pod.generation) ?? null;
    });
  }

  list(): Promise<PodState[]> {
    return answering(() => this.states());
  }

  fences(): Promise<PodIdentity[]> {
    return answering(() => this.fenceVolumes.newestGenerations());
  }

  /**
   * Has the containers of Reprise join the networks of all pods that live, also those of before: a provisioner or gateway that was made anew is in
   * none of them. Every look at pods does so as well.
   * @throws PodError
   */
  rejoin(): Promise<void> {
    return answering(async () => this.join(await this.containers.list()));
  }

  private async join(containers: readonly PodContainer[]): Promise<void> {
    const networks = new Set(containers.filter((it) => isAlive(it) && it.networkId !== '').map(({ networkId }) => networkId));
    for (const why of await this.services.join([...networks])) this.options.notJoined?.(why);
  }

  private untilMade(spec: PodSpec, attempt: () => Promise<{ id: string; adopted: boolean } | string>): Promise<PodHandle> {
    return answering(async () => {
      const patience = this.options.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
      for (const until = Date.now() + patience; ;) {
        const made = await attempt();
        if (typeof made !== 'string') return this.starts.listening(spec, made.id, { adopted: made.adopted });
        if (Date.now() > until) throw podError('locked', `${made}, for ${patience} ms`);
        await sleep(POLL_MS);
      }
    });
  }

  /** The container that serves the pod's volume, or why another look is needed. It has the pod's name, so that there is no second one. */
  private async attemptSalvage(spec: PodSpec): Promise<{ id: string; adopted: boolean } | string> {
    const containers = await this.containers.list(spec.workspaceId);
    this.assertNoOtherLives(spec, containers);
    const alive = containers.find(isAlive);
    if (alive?.salvages) return { id: alive.id, adopted: true };
    const volume = await this.filesOf(spec);
    if (volume === null) throw podError('nothing_left', `its volume ${this.names.files(spec)} is gone`);
    for (const container of containers) {
      // An agent that does not answer is as good as dead, and must not write any more. One that does not run may be another one's to start.
      if (isAlive(container)) await this.containers.remove(container.id);
      else if (!(await this.clearOne(container))) return 'someone else opens what this pod has left';
    }
    const made = await this.maker.make(spec, await this.maker.imageOf(spec), 'salvage');
    if (made.id === null) return made.why;
    if ((await this.filesOf(spec)) !== volume) {
      // It was removed meanwhile, and this container was given an empty one.
      await this.containers.remove(made.id);
      await removeVolume(this.engine, this.names.files(spec));
      throw podError('nothing_left', `its volume ${this.names.files(spec)} is gone`);
    }
    if (!(await this.containers.start(made.id))) return 'its container was taken away before it was started';
    return { id: made.id, adopted: false };
  }

  /** What tells the volume with a pod's files from another one of the same name; null where there is none. */
  private async filesOf(pod: PodIdentity): Promise<string | null> {
    const volumes = await listVolumes(this.engine, this.names.filter({ workspaceId: pod.workspaceId, kind: 'files' }));
    const found = volumes.find(({ Name }) => Name === this.names.files(pod));
    return found ? ((found as { CreatedAt?: string }).CreatedAt ?? '') : null;
  }

  /** The container of a pod that has been started, or why another look is needed. */
  private async attempt(spec: PodSpec): Promise<{ id: string; adopted: boolean } | string> {
    const others = await this.containers.list(spec.workspaceId);
    await this.assertNotFenced(spec, others);
    const own = others.find((it) => it.generation === spec.generation && isAlive(it));
    if (own) return { id: own.id, adopted: true };
    if (!(await this.clear(spec, others))) return 'someone else makes or removes a pod of this workspace';

    const image = await this.maker.imageOf(spec);
    await this.fenceVolumes.raise(spec);
    const made = await this.maker.make(spec, image);
    if (made.id === null) return made.why;
    // Whoever came with a newer generation has raised the fence before it looked for this container: one of the two sees the other.
    const newest = await this.fenceVolumes.newestGeneration(spec.workspaceId);
    if (newest > spec.generation) {
      await this.containers.remove(made.id);
      throw passedBy(newest);
    }
    if (!(await this.containers.start(made.id))) return 'its container was taken away before it was started';
    return { id: made.id, adopted: false };
  }

  private async assertNotFenced(spec: PodSpec, others: readonly PodContainer[]): Promise<void> {
    const newest = await this.fenceVolumes.newestGeneration(spec.workspaceId);
    if (newest > spec.generation) throw passedBy(newest);
    this.assertNoOtherLives(spec, others);
  }

  private assertNoOtherLives(spec: PodIdentity, others: readonly PodContainer[]): void {
    for (const { generation } of others.filter(isAlive)) {
      if (generation === spec.generation) continue;
      throw podError(generation < spec.generation ? 'older_pod_alive' : 'stale_generation', `the pod of generation ${generation} lives`);
    }
  }

  /** Takes away containers that do not run and so stand in the way; false where someone else is at one of them. */
  private async clear(spec: PodSpec, containers: readonly PodContainer[]): Promise<boolean> {
    for (const container of containers) {
      const own = container.generation === spec.generation;
      if (own ? !(await this.clearOne(container)) : (await this.containers.removeUnlessRunning(container.id)) !== 'removed') return false;
      // What an agent that died has left of its workspace is not the new one's.
      if (own && !(await removeVolume(this.engine, this.names.files(spec)))) return false;
    }
    return true;
  }

  /** Takes away a container that does not run; false where whoever made it starts it, or another one takes it away. */
  private async clearOne({ id, status }: PodContainer): Promise<boolean> {
    if (status === 'created' && (await this.starts.isMoving(id))) return false;
    return (await this.containers.removeUnlessRunning(id)) === 'removed';
  }

  /** Pods that have a container, and those of which only the files or the network are left. */
  private async states(workspaceId?: string): Promise<PodState[]> {
    // In this order: a pod that is made in between has its container before this looks for volumes, or is not found at all.
    const networks = await this.networks.list(workspaceId);
    const volumes = await listVolumes(this.engine, this.names.filter({ workspaceId, kind: 'files' }));
    const containers = await this.containers.list(workspaceId);
    await this.join(containers);
    const pods = new Map<string, { pod: PodIdentity; container: PodContainer | null; hasFiles: boolean }>();
    for (const pod of networks) pods.set(this.names.files(pod), { pod, container: null, hasFiles: false });
    for (const { Labels } of volumes) {
      const pod = this.names.identityOf(Labels);
      if (pod !== null) pods.set(this.names.files(pod), { pod, container: null, hasFiles: true });
    }
    for (const container of containers) {
      const key = this.names.files(container);
      const found = pods.get(key);
      if (!found?.container || isAlive(container)) pods.set(key, { pod: container, container, hasFiles: found?.hasFiles ?? false });
    }
    return Promise.all([...pods.values()].map(({ pod, container, hasFiles }) => this.stateOf(pod, container, hasFiles)));
  }

  private async stateOf({ workspaceId, generation }: PodIdentity, container: PodContainer | null, salvageable: boolean): Promise<PodState> {
    const identity = { workspaceId, generation };
    if (container === null || !isAlive(container)) {
      const dead = container && (await this.containers.look(container.id));
      return { ...identity, phase: 'dead', address: null, ref: null, salvageable, end: dead && endOf(dead) };
    }
    const address = container.ip !== '' && (await listens(container.ip)) ? addressOf(container.ip) : null;
    const ref = `container ${container.id.slice(0, 12)}`;
    return { ...identity, phase: address === null ? 'starting' : 'running', address, ref, salvageable, end: null };
  }
}

function passedBy(newest: number): PodError {
  return podError('stale_generation', `generation ${newest} was created before`);
}
