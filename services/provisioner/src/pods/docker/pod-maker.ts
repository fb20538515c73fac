import type { AgentMode } from '../agent-environment';
import type { PodIdentity, PodSpec } from '../pod-driver';
import { AgentVolume } from './agent-volume';
import { podContainer, preparingContainer, type PodDefaults } from './container-options';
import type { Engine } from './engine';
import { EngineError, podError } from './engine-error';
import { Images } from './images';
import type { Names } from './names';
import type { PodNetworks } from './pod-networks';
import { SharedNetwork } from './shared-network';
import type { Subnet } from './subnets';

export interface MakerOptions {
  /** The network of all pods, where they have none of their own. */
  readonly network: string;
  /** What the networks of pods are cut out of, where each pod has its own; null where all share one. */
  readonly podSubnets: Subnet | null;
  readonly agentImage: string;
  readonly gatewayUrl: string;
  readonly defaults: PodDefaults;
  readonly pullTimeoutMs: number;
}

/** Makes the container of a pod, and all that it is made with. Starts nothing. */
export class PodMaker {
  private readonly images: Images;
  private readonly agent: AgentVolume;
  private readonly sharedNetwork: SharedNetwork;
  /** An engine keeps its cores for as long as it runs, and one that is another machine's has another address. */
  private cpus: number | null = null;

  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
    private readonly networks: PodNetworks,
    private readonly options: MakerOptions,
  ) {
    this.images = new Images(engine, options.pullTimeoutMs);
    this.agent = new AgentVolume(engine, names, this.images, options.agentImage);
    this.sharedNetwork = new SharedNetwork(engine, names, options.network);
  }

  /** The image that the pod runs in, once the engine has it. @throws PodError `image_unavailable`, `invalid_spec` */
  async imageOf(spec: PodSpec): Promise<string> {
    const image = spec.runtime.image ?? this.options.agentImage;
    await this.images.ensure(image);
    return image;
  }

  /** The id of the new container; null where another one has the pod's name. */
  async make(spec: PodSpec, image: string, mode?: AgentMode): Promise<{ id: string } | { id: null; why: string }> {
    const agentVolume = await this.agent.ensure();
    const networkId = await this.networkFor(spec);
    const engineCpus = await this.engineCpus();
    // What a dead pod has left has its owner already.
    if (mode !== 'salvage') await this.prepareFiles(spec);
    const { names } = this;
    const { gatewayUrl, defaults } = this.options;
    const container = podContainer(spec, { names, image, agentVolume, networkId, gatewayUrl, defaults, engineCpus }, mode);
    try {
      return { id: await this.engine.createContainer(container) };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.code === 409) return { id: null, why: `another container has its name: ${error.words}` };
      if (error.code === 400) throw podError('invalid_spec', `the engine takes no such container: ${error.words}`, error);
      if (error.code === 404) throw podError('image_unavailable', error.words, error);
      throw error;
    }
  }

  /** The id of the network that the pod is to be in. */
  private networkFor(pod: PodIdentity): Promise<string> {
    const { podSubnets } = this.options;
    return podSubnets === null ? this.sharedNetwork.ensure() : this.networks.ensure(pod, podSubnets);
  }

  private async engineCpus(): Promise<number> {
    this.cpus ??= (await this.engine.call('read info', (docker) => docker.info() as Promise<{ NCPU: number }>)).NCPU;
    return this.cpus;
  }

  private async prepareFiles(spec: PodSpec): Promise<void> {
    const preparing = preparingContainer(spec, this.options.agentImage, this.names);
    const id = await this.engine.createContainer(preparing);
    await this.engine.callUnless([404], 'remove container', (docker, limited) => docker.getContainer(id).remove({ ...limited }));
  }
}
