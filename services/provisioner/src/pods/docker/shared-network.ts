import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine';
import { podError } from './engine-error';
import type { Names } from './names';
import { findNetwork, listNetworks, makeNetwork } from './networks';

const POLL_MS = 50;
const THERE_WITHIN_MS = 10_000;

/**
 * The one network that all pods are in, where they have none of their own; made where it is missing. One that is there is taken as it is: where the
 * provisioner or the gateway are containers themselves, it is theirs as well, and whoever sets them up makes it.
 */
export class SharedNetwork {
  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
    private readonly name: string,
    private readonly patienceMs = THERE_WITHIN_MS,
  ) {}

  /** Its id. @throws PodError `unavailable` where the engine does not let it be made, or has several; EngineError */
  async ensure(): Promise<string> {
    // Pods are different tenants': they reach the gateway and the world, and not each other.
    const wanted = { name: this.name, reachEachOther: false, Labels: this.names.labels('network') };
    for (const until = Date.now() + this.patienceMs; ;) {
      // The engine's filter takes a part of a name, too.
      const there = findNetwork(await listNetworks(this.engine, { name: [this.name] }), this.name);
      if (there !== null) return there;
      const refusal = await makeNetwork(this.engine, wanted);
      if (refusal === '') continue;
      if (Date.now() > until) throw podError('unavailable', `the engine makes no network ${this.name}: ${refusal}`);
      await sleep(POLL_MS);
    }
  }
}
