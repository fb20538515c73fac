import type { Bus } from '../support/bus';
import type { Ledger } from '../support/ledger';
import type { PodsWatch } from '../support/pods-watch';

/** What all actors of a run share. */
export interface World {
  ledger: Ledger;
  bus: Bus;
  pods: PodsWatch;
  /** Takes note of an operation that was answered with a promise. */
  accepted: (operationId: string, workspaceId: string) => void;
  /** Takes note of a command of which nothing was told for so long that its sender went on: at the end he must have been told. */
  untold: (correlationId: string, what: string) => void;
}
