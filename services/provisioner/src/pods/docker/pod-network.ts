import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkInspectInfo } from 'dockerode';
import type { Engine } from './engine';
import { EngineError, podError } from './engine-error';
import type { Names } from './names';

const POLL_MS = 50;
const THERE_WITHIN_MS = 10_000;

/**
 * The network that pods are in, made where it is missing. One that is there is taken as it is: where the provisioner or the gateway are containers
 * themselves, it is theirs as well, and whoever sets them up makes it.
 */
export class PodNetwork {
  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
    private readonly name: string,
    private readonly patienceMs = THERE_WITHIN_MS,
  ) {}

  /** Its id. @throws PodError `unavailable` where the engine does not let it be made, or has several; EngineError */
  async ensure(): Promise<string> {
    for (const until = Date.now() + this.patienceMs; ;) {
      const there = await this.find();
      if (there !== null) return there;
      const refusal = await this.make();
      if (refusal === '') continue;
      if (Date.now() > until) throw podError('unavailable', `the engine makes no network ${this.name}: ${refusal}`);
      await sleep(POLL_MS);
    }
  }

  /** Empty once it is made; otherwise why not: as a rule, since someone else makes it right now, which is told of before it is listed. */
  private async make(): Promise<string> {
    const network = {
      Name: this.name,
      Driver: 'bridge',
      CheckDuplicate: true,
      Options: {
        // Pods are different tenants': they reach the gateway and the world, and not each other.
        'com.docker.network.bridge.enable_icc': 'false',
        // An engine before 25 makes as many networks of one name as ask for it at the same time, and then starts no container in any of them; it
        // never makes a second one with the same bridge (moby/moby#20648, and measured with 20.10).
        'com.docker.network.bridge.name': bridgeOf(this.name),
      },
      Labels: this.names.labels('network'),
    };
    try {
      await this.engine.call('create network', (docker, limited) => docker.createNetwork({ ...network, ...limited }));
      return '';
    } catch (error) {
      if (error instanceof EngineError && (error.code === 403 || error.code === 409)) return error.words;
      throw error;
    }
  }

  private async find(): Promise<string | null> {
    const filters = JSON.stringify({ name: [this.name] });
    const answer: unknown = await this.engine.call('list networks', (docker, limited) => docker.listNetworks({ filters, ...limited }));
    if (!Array.isArray(answer)) throw new EngineError('list networks', 'bad answer', 'the answer is no list of networks');
    // The engine's filter takes a part of a name, too.
    const [id, ...others] = (answer as NetworkInspectInfo[]).flatMap(({ Name, Id }) => (Name === this.name ? [Id] : []));
    if (others.length === 0) return id ?? null;
    const several = `the engine has several networks ${this.name}, and may start no container in any of them: remove all but one of`;
    throw podError('unavailable', `${several} ${[id, ...others].join(', ')}`);
  }
}

/** The same for the same network everywhere, and short enough for the name of an interface, which has 15 characters at most. */
export function bridgeOf(network: string): string {
  return `rp-${createHash('sha256').update(network).digest('hex').slice(0, 12)}`;
}
