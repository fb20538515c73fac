import { createHash } from 'node:crypto';
import type { NetworkCreateOptions, NetworkInspectInfo } from 'dockerode';
import type { Engine } from './engine';
import { EngineError, podError } from './engine-error';

/** The networks that the engine has, all or those with these labels. An answer that is no list is an error, never an empty list. */
export async function listNetworks(engine: Engine, filters: Record<string, string[]> = {}): Promise<NetworkInspectInfo[]> {
  const answer: unknown = await engine.call('list networks', (docker, limited) =>
    docker.listNetworks({ filters: JSON.stringify(filters), ...limited }),
  );
  if (!Array.isArray(answer)) throw new EngineError('list networks', 'bad answer', 'the answer is no list of networks');
  return answer as NetworkInspectInfo[];
}

/** The id of the one with this name, or null. @throws PodError `unavailable` where the engine has several */
export function findNetwork(networks: readonly NetworkInspectInfo[], name: string): string | null {
  const [id, ...others] = networks.flatMap(({ Name, Id }) => (Name === name ? [Id] : []));
  if (others.length === 0) return id ?? null;
  const several = `the engine has several networks ${name}, and may start no container in any of them: remove all but one of`;
  throw podError('unavailable', `${several} ${[id, ...others].join(', ')}`);
}

export interface NewNetwork extends Pick<NetworkCreateOptions, 'Labels' | 'IPAM'> {
  readonly name: string;
  /** Whether the containers in it reach each other. */
  readonly reachEachOther: boolean;
}

/** Empty once it is made; otherwise why not: as a rule, since someone else makes it right now, which is told of before it is listed. */
export async function makeNetwork(engine: Engine, { name, reachEachOther, Labels, IPAM }: NewNetwork): Promise<string> {
  const network = {
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    Options: {
      'com.docker.network.bridge.enable_icc': String(reachEachOther),
      // An engine before 25 makes as many networks of one name as ask for it at the same time, and then starts no container in any of them; it
      // never makes a second one with the same bridge (moby/moby#20648, and measured with 20.10).
      'com.docker.network.bridge.name': bridgeOf(name),
    },
    Labels,
    ...(IPAM ? { IPAM } : {}),
  };
  try {
    await engine.call('create network', (docker, limited) => docker.createNetwork({ ...network, ...limited }));
    return '';
  } catch (error) {
    if (error instanceof EngineError && (error.code === 403 || error.code === 409 || isOverlap(error.words))) return error.words;
    throw error;
  }
}

/** Whether the engine refuses a network since another one has some of its addresses. Its status for this differs from version to version. */
export function isOverlap(words: string): boolean {
  return /overlap/i.test(words);
}

/** The same for the same network everywhere, and short enough for the name of an interface, which has 15 characters at most. */
export function bridgeOf(network: string): string {
  return `rp-${digestOf(network).slice(0, 12)}`;
}

/** A whole number that is the same for the same network everywhere. */
export function numberOf(network: string): number {
  return parseInt(digestOf(network).slice(0, 8), 16);
}

function digestOf(network: string): string {
  return createHash('sha256').update(network).digest('hex');
}
