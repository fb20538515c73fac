import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

type Resolve = (name: string) => Promise<{ address: string }[]>;

const lookupAll: Resolve = (name) => lookup(name, { all: true });

/**
 * The address that a setting has a server listen on. An address is taken as it is. A name is looked up, and of its addresses the first that this
 * machine has is taken: so a container in several networks listens in the one where it has this name, and replicas can share a name.
 * @param setting the variable's name, for the error
 * @param resolve what looks names up
 * @throws Error in one line
 */
export async function listenAddress(setting: string, host: string, resolve: Resolve = lookupAll): Promise<string> {
  if (isIP(host) !== 0) return host;
  const found = await resolve(host).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${setting} is ${host}, which cannot be resolved: ${error.code ?? error.message}`);
  });
  const own = new Set(Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)));
  const address = found.map((it) => it.address).find((it) => own.has(it));
  if (address !== undefined) return address;
  const addresses = found.map((it) => it.address).join(', ');
  throw new Error(`${setting} is ${host}, which resolves to ${addresses}: this machine has no such address to listen on`);
}
