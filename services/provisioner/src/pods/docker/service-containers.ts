import type { ContainerInfo, EndpointSettings } from 'dockerode';
import type { Engine } from './engine';
import { EngineError } from './engine-error';
import type { Names } from './names';

interface ServiceContainer {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  /** The networks that it is in, or will be once it runs again: their names, and their ids where it has run. */
  readonly networks: ReadonlySet<string>;
}

/** What an endpoint is made with. Engines before 28 do not know `GwPriority`, and ignore it. */
type Endpoint = EndpointSettings & { readonly GwPriority: number };

/**
 * The containers of Reprise itself that pods have to do with: the provisioner, which calls agents, and the gateway, which agents call. Each has the
 * label `reprise.pods` with the installation's name. There are none where both run on the machine itself.
 */
export class ServiceContainers {
  /** @param gatewayHost the name by which pods call the gateway; a container that has it elsewhere has it in pods' networks, too */
  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
    private readonly gatewayHost: string,
  ) {}

  /**
   * Has all that run join these networks, if they have not: one that was made anew is in none of them.
   * @returns why one could not join, for each such case. What went away meanwhile is none.
   */
  async join(networkIds: readonly string[]): Promise<string[]> {
    if (networkIds.length === 0) return [];
    const running = (await this.list()).filter((container) => container.running);
    const failures = running.map(async (container) => {
      const missing = networkIds.filter((id) => !container.networks.has(id));
      const endpoint = missing.length > 0 ? await this.endpointOf(container.id) : null;
      const failed: string[] = [];
      // One after the other: the engine would not do more of one container's at a time.
      for (const id of endpoint ? missing : []) failed.push(...(await this.connect(container, id, endpoint!)));
      return failed;
    });
    return (await Promise.all(failures)).flat();
  }

  /** Takes all containers out of the network. One that is stopped, too: it would not start again without a network that it is to be in. */
  async leave(networkId: string, networkName: string): Promise<void> {
    const network = await this.engine.callUnless([404], 'inspect network', (docker) => docker.getNetwork(networkId).inspect());
    // What is there without a container is called `ep-…`.
    const inside = Object.keys(network?.Containers ?? {}).filter((id) => /^[0-9a-f]+$/.test(id));
    const bound = (await this.list()).filter(({ networks }) => networks.has(networkId) || networks.has(networkName)).map(({ id }) => id);
    for (const Container of new Set([...inside, ...bound])) {
      await this.engine.callUnless([403, 404, 409], `leave network ${networkName}`, (docker, limited) =>
        docker.getNetwork(networkId).disconnect({ Container, Force: true, ...limited }),
      );
    }
  }

  private async list(): Promise<ServiceContainer[]> {
    const filters = JSON.stringify({ label: [this.names.serviceLabel] });
    const answer: unknown = await this.engine.call('list containers', (docker, limited) =>
      docker.listContainers({ all: true, filters, ...limited }),
    );
    if (!Array.isArray(answer)) throw new EngineError('list containers', 'bad answer', 'the answer is no list of containers');
    return (answer as ContainerInfo[]).map(({ Id, Names: [name = Id], State, NetworkSettings }) => ({
      id: Id,
      name: name.replace(/^\//, ''),
      running: State === 'running',
      networks: new Set(Object.entries(NetworkSettings?.Networks ?? {}).flatMap(([network, { NetworkID }]) => [network, NetworkID])),
    }));
  }

  /** Null where the container is gone. */
  private async endpointOf(id: string): Promise<Endpoint | null> {
    const container = await this.engine.callUnless([404], 'inspect container', (docker, limited) =>
      docker.getContainer(id).inspect(limited),
    );
    if (container === null) return null;
    const known = Object.values(container.NetworkSettings.Networks).flatMap(({ Aliases }) => (Aliases as string[] | null) ?? []);
    // What goes to the world goes as before. Engines before 28 decide that by the networks' names (see `Names.network`).
    return { Aliases: known.includes(this.gatewayHost) ? [this.gatewayHost] : [], GwPriority: -1 };
  }

  /** Why it could not join, if it could not. */
  private async connect({ id, name }: ServiceContainer, networkId: string, EndpointConfig: Endpoint): Promise<string[]> {
    try {
      const options = { Container: id, EndpointConfig };
      await this.engine.call('join network', (docker, limited) => docker.getNetwork(networkId).connect({ ...options, ...limited }));
      return [];
    } catch (error) {
      if (!(error instanceof EngineError) || !error.answered) throw error;
      // The network or the container is gone, or the container stops right now; or another replica was faster.
      if (error.code === 404 || error.code === 409 || /already (exists|connected|attached)/i.test(error.words)) return [];
      return [`${name} cannot join network ${networkId.slice(0, 12)}: ${error.words}`];
    }
  }
}
