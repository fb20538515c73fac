import type { Bus } from '../support/bus';
import type { Fleet } from '../support/fleet';
import type { Ledger } from '../support/ledger';
import type { PodsWatch } from '../support/pods-watch';
import type { Random } from '../support/random';
import type { Servers } from '../support/servers';

/** What faults are done to. */
export interface Scene {
  fleet: Fleet;
  servers: Servers;
  bus: Bus;
  pods: PodsWatch;
  ledger: Ledger;
  /** Over when the run's time is: a fault that waits for its moment waits no longer. */
  over: AbortSignal;
}

/** Something that goes wrong, for a while; when `strike` is over, it is right again. */
export interface Fault {
  /** The kind, for the table. */
  kind: string;
  /** What exactly, and to whom. */
  name: string;
  /** @returns what there is to tell of it; null where its moment did not come */
  strike: (scene: Scene, random: Random) => Promise<string | null | undefined | void>;
}
