import type { PodAgent } from '../pods/agent-client.types';
import type { PodHandle } from '../pods/pod-driver';

/** Injects the `PodDriver`. */
export const POD_DRIVER = Symbol('pod driver');

/** Injects a `ConnectAgent`. */
export const CONNECT_AGENT = Symbol('connect agent');

/** The client of one pod's agent, with the pod's own token. Opens nothing by itself. */
export type ConnectAgent = (pod: PodHandle) => PodAgent;

/** Injects the `Transfers`. */
export const TRANSFERS = Symbol('transfers');

/** Injects the `SnapshotStore`. */
export const SNAPSHOT_STORE = Symbol('snapshot store');
