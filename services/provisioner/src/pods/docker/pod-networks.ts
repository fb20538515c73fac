import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkInspectInfo } from 'dockerode';
import type { PodIdentity } from '../pod-driver';
import type { Engine } from './engine';
import { EngineError, podError } from './engine-error';
import type { Names } from './names';
import { findNetwork, isOverlap, listNetworks, makeNetwork, numberOf } from './networks';
import type { ServiceContainers } from './service-containers';
import { formatSubnet, freeSubnet, parseSubnet, roomIn, type Subnet } from './subnets';

const POLL_MS = 50;
const THERE_WITHIN_MS = 10_000;
const REMOVED_WITHIN_MS = 20_000;

/**
 * A network for each pod, with the pod and the containers of Reprise that it has to do with, and nothing else: the engine lets nothing through from
 * one network to another. See docs/adr/0042-network-for-each-pod.md.
 */
export class PodNetworks {
  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
    private readonly services: ServiceContainers,
    private readonly patienceMs = THERE_WITHIN_MS,
  ) {}

  /** Those that there are, by the pods that they belong to. */
  async list(workspaceId?: string): Promise<PodIdentity[]> {
    const networks = await listNetworks(this.engine, this.names.filter({ workspaceId, kind: 'pod-network' }));
    return networks.flatMap(({ Labels }) => this.names.identityOf(Labels) ?? []);
  }

  /**
   * The id of the pod's network, once it is there and the containers of Reprise have joined it.
   * @param pool what its addresses are taken from: the engine's own pools have room for some thirty networks
   * @throws PodError `quota_exceeded` where the pool is used up, `unavailable` where the engine does not let it be made; EngineError
   */
  async ensure(pod: PodIdentity, pool: Subnet): Promise<string> {
    const id = await this.made(pod, pool);
    const [failure] = await this.services.join([id]);
    if (failure !== undefined) throw podError('unavailable', failure);
    return id;
  }

  /**
   * Removes the pod's network; resolves also where there is none. The pod's own container is gone before.
   * @throws PodError `not_removed`
   */
  async remove(pod: PodIdentity): Promise<void> {
    const labels = this.names.filter({ workspaceId: pod.workspaceId, kind: 'pod-network' });
    const networks = await listNetworks(this.engine, labels);
    const own = networks.filter(({ Labels }) => this.names.identityOf(Labels)?.generation === pod.generation);
    await Promise.all(own.map((network) => this.removeOne(network)));
  }

  private async made(pod: PodIdentity, pool: Subnet): Promise<string> {
    const name = this.names.network(pod);
    const refused: Subnet[] = [];
    for (const until = Date.now() + this.patienceMs; ;) {
      const networks = await listNetworks(this.engine);
      const there = findNetwork(networks, name);
      if (there !== null) return there;
      const subnet = freeSubnet(pool, [...subnetsOf(networks), ...refused], numberOf(name));
      if (subnet === null)
        throw podError('quota_exceeded', `DOCKER_POD_SUBNETS has room for ${roomIn(pool)} pods, and all of it is in use`);
      const refusal = await makeNetwork(this.engine, {
        name,
        reachEachOther: true,
        Labels: this.names.podLabels('pod-network', pod),
        IPAM: { Driver: 'default', Config: [{ Subnet: formatSubnet(subnet) }] },
      });
      if (refusal === '') continue;
      // Someone is making a network there that is not listed yet.
      if (isOverlap(refusal)) refused.push(subnet);
      if (Date.now() > until) throw podError('unavailable', `the engine makes no network ${name}: ${refusal}`);
      await sleep(POLL_MS);
    }
  }

  private async removeOne({ Id, Name }: NetworkInspectInfo): Promise<void> {
    for (const until = Date.now() + REMOVED_WITHIN_MS; ;) {
      // Another replica that has just found the pod alive may join it once more.
      await this.services.leave(Id, Name);
      try {
        return void (await this.engine.callUnless([404], 'remove network', (docker, limited) => docker.getNetwork(Id).remove(limited)));
      } catch (error) {
        if (!(error instanceof EngineError) || (error.code !== 403 && error.code !== 409)) throw error;
        if (Date.now() > until) throw podError('not_removed', `network ${Name} is still used: ${error.words}`);
      }
      await sleep(POLL_MS);
    }
  }
}

function subnetsOf(networks: readonly NetworkInspectInfo[]): Subnet[] {
  const texts = networks.flatMap(({ IPAM }) => (IPAM?.Config ?? []) as { Subnet?: string }[]);
  return texts.flatMap(({ Subnet: text }) => parseSubnet(text ?? '') ?? []);
}
