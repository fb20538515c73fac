import type { NetworkInspectInfo } from 'dockerode';
import type { Engine } from './engine';
import { EngineError } from './engine-error';
import type { Names } from './names';

/**
 * The network that pods are in, made where it is missing. One that is there is taken as it is: where the provisioner or the gateway are containers
 * themselves, it is theirs as well, and whoever sets them up makes it.
 */
export class PodNetwork {
  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
    private readonly name: string,
  ) {}

  /** Its id: a name may stand for two, where two made one at the same time. */
  async ensure(): Promise<string> {
    const [there] = await this.all();
    if (there !== undefined) return there;
    const network = {
      Name: this.name,
      Driver: 'bridge',
      CheckDuplicate: true,
      // Pods are different tenants': they reach the gateway and the world, and not each other.
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
      Labels: this.names.labels('network'),
    };
    const made = await this.engine.callUnless([409], 'create network', (docker, limited) =>
      docker.createNetwork({ ...network, ...limited }),
    );
    const [first] = await this.all();
    if (first === undefined)
      throw new EngineError('create network', 'bad answer', `network ${this.name} is not there although it was made`);
    // Everybody takes the first one, so nobody uses the others.
    if (made !== null && made.id !== first) {
      await this.engine.callUnless([403, 404, 409], 'remove network', (docker, limited) => docker.getNetwork(made.id).remove(limited));
    }
    return first;
  }

  private async all(): Promise<string[]> {
    const filters = JSON.stringify({ name: [this.name] });
    const answer: unknown = await this.engine.call('list networks', (docker, limited) => docker.listNetworks({ filters, ...limited }));
    if (!Array.isArray(answer)) throw new EngineError('list networks', 'bad answer', 'the answer is no list of networks');
    // The engine's filter takes a part of a name, too.
    const exact = (answer as NetworkInspectInfo[]).filter(({ Name }) => Name === this.name);
    return exact.map(({ Id }) => Id).sort();
  }
}
