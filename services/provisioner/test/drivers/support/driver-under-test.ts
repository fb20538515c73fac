import type { PodDriver, PodIdentity } from '../../../src/pods/pod-driver';
import type { Meets, Trouble } from './faulty-proxy';

/** What a driver's host has to offer for the suite to look behind the port. */
export interface DriverUnderTest {
  readonly driver: PodDriver;
  /** A second driver of the same host, as another replica of the provisioner has it, or the same one after a restart. */
  readonly another: PodDriver;
  /** Ends the pod's agent at once, as a crash would. */
  crash(pod: PodIdentity): Promise<void>;
  /** Whether any process of the pod lives: by the host's own means, not the driver's. */
  hasProcesses(pod: PodIdentity): Promise<boolean>;
  /** Takes the pod away with everything of it, by the host's own means. */
  takeAway(pod: PodIdentity): Promise<void>;
  /** A driver of the same host that runs this program in the agent's place, and waits so long for it. */
  withAgent(program: string, options: { startTimeoutMs: number }): Promise<PodDriver>;

  /** Where pods are made by an API over HTTP. */
  readonly api?: ApiUnderTest;
  /** Where pods have images: one that cannot be pulled. */
  readonly missingImage?: string;
  /**
   * Has something that is no pod stand under the name that this pod is to have. Resolves to a driver that soon gives up waiting for the name, and to
   * what takes the thing away again, and says whether it was still there.
   */
  readonly occupy?: (pod: PodIdentity) => Promise<{ impatient: PodDriver; free: () => Promise<boolean> }>;
  /** A driver whose host gives it no more room for pods, by a quota. */
  readonly withoutQuota?: () => Promise<PodDriver>;
}

export interface ApiUnderTest {
  /** A driver that talks to the API through a proxy. */
  readonly driver: PodDriver;
  /** Has the proxy make trouble for these requests, or none any more. */
  make(what: Trouble | null, meets?: Meets): void;
  /** Whether a request is the one that makes a pod. */
  readonly makesPod: Meets;
  /** Whether a request is one that takes a pod away. */
  readonly removesPod: Meets;
  /** Where the driver follows what its host has, and so may tell of pods while the API is in trouble: whether it is being told of them right now. */
  readonly isFollowing?: () => boolean;
  /** A driver whose API is not there at all. */
  readonly unreachable: PodDriver;
}

/**
 * What a back end has besides what every one has: the suite holds it to the promises about these, too. `bounds`: no process of a pod can leave what its
 * processes are found by.
 */
export type Shown = 'api' | 'bounds' | 'images' | 'names' | 'quota' | 'salvage';

/** What the host said that it shows. */
export function given<T>(capability: T | undefined): T {
  if (capability === undefined) throw new Error('the host does not offer what it says that it shows');
  return capability;
}
