import type { PodIdentity } from '@reprise/contracts';

/**
 * The port behind which pods are made and removed. A pod is named by workspace and generation, never by what a driver
 * calls it: whoever holds the identity can find the pod again, also after every process that knew of it has died.
 */

export type { PodIdentity };

/**
 * What a pod runs in and how much of it, as the role says; null is the driver's default. A driver that cannot hold a pod to a limit (the process
 * driver to any) leaves it out.
 */
export interface PodRuntime {
  /** The container image; its own entry point is not used. */
  readonly image: string | null;
  /** Cores; may be a fraction. */
  readonly cpus: number | null;
  /** MiB. */
  readonly memoryMb: number | null;
  /** Processes and threads at once. */
  readonly pids: number | null;
  /** Room for the workspace, in MiB. */
  readonly diskMb: number | null;
  /** Whether everything but the workspace and the temporary directory is read-only. */
  readonly readOnlyRoot: boolean;
}

/** Of a role that says nothing about it. */
export const ANY_RUNTIME: PodRuntime = { image: null, cpus: null, memoryMb: null, pids: null, diskMb: null, readOnlyRoot: false };

/** All that a pod is made from. A repeated create must be given the same spec. */
export interface PodSpec extends PodIdentity {
  /** The bearer token that the agent reports with, and demands where it is given no keys. */
  readonly token: string;
  /** The public keys of whoever may control the agent, base64url. None: whoever has the token. */
  readonly controlKeys: readonly string[];
  /** What a task runs, or null for a role that has no command: its tasks fail `no_command`. */
  readonly command: readonly string[] | null;
  /** Environment of the tasks, not of the agent. */
  readonly env: Readonly<Record<string, string>>;
  readonly taskTimeoutSeconds: number;
  /** The workspace's free label, given on as REPRISE_ENVIRONMENT. */
  readonly environment: string | null;
  readonly provider: { readonly kind: string; readonly config: Readonly<Record<string, unknown>> } | null;
  readonly runtime: PodRuntime;
}

/** A pod whose agent listens. It answers health; it takes no task before `resume-work`. */
export interface PodHandle extends PodIdentity {
  /** Base address of the agent, without a trailing slash. */
  readonly address: string;
}

/** Why a pod that was up is dead. */
export type PodEndReason =
  /** The agent ended by itself, or by a signal. */
  | 'exited'
  /** It took more memory than it may. */
  | 'out_of_memory'
  /** The node was short of something and put it out. */
  | 'evicted'
  /** It made room for a pod of higher priority. */
  | 'preempted'
  /** Its node is gone or does not answer; whether the pod still runs is not known. */
  | 'node_lost';

export interface PodEnd {
  readonly reason: PodEndReason;
  /** The back end's own words, for people; at most 1,000 characters. */
  readonly detail: string;
}

/**
 * - `starting`: its process lives and does not listen yet.
 * - `running`: its process lives and has told its address.
 * - `dead`: something of it is left (a directory, stray processes), its agent is not. `salvage` opens what is left, where that can be; `remove` ends it.
 */
export type PodPhase = 'starting' | 'running' | 'dead';

export interface PodState extends PodIdentity {
  readonly phase: PodPhase;
  /** Base address of the agent; null unless `running`. */
  readonly address: string | null;
  /** What the driver calls it (a process id, a container id): for people and logs, never a key. */
  readonly ref: string | null;
  /** Whether `salvage` can open its files, once it is dead or does not answer. */
  readonly salvageable: boolean;
  /** How it ended, where it is `dead` and the driver can tell. */
  readonly end: PodEnd | null;
}

export interface RemoveOptions {
  /** Time between the polite signal and the one that cannot be ignored. */
  readonly graceSeconds: number;
}

/** Every driver keeps these promises; `test/drivers/conformance.ts` holds it to them. */
export interface PodDriver {
  /**
   * Makes the pod and resolves when its agent listens. Idempotent: where the pod of this identity lives, that one is
   * answered. Never leaves two live pods of one workspace: refuses with `stale_generation` once any newer generation was
   * ever created, and with `older_pod_alive` while an older one lives.
   * @throws PodError
   */
  create(spec: PodSpec): Promise<PodHandle>;

  /**
   * Ends every process of the pod, confirms that they are gone, then removes what it kept on disk, or moves it out of everybody's way to be deleted
   * soon: nobody waits for many files. Resolves also where there is no such pod.
   * @throws PodError `not_removed` (retryable) while something of it still lives
   */
  remove(pod: PodIdentity, options: RemoveOptions): Promise<void>;

  /**
   * Opens the files of a pod that is dead or does not answer: ends every process of it, then starts an agent on its files that serves a snapshot and does
   * nothing else (docs/pod-contract.md, section 9). Idempotent: where such an agent lives, that one is answered. It raises no fence and is held back by none,
   * since it takes no tasks; but no other pod of the workspace may live. What it opened is removed by `remove`.
   * @param spec the pod's identity and its token; a salvaged pod runs nothing of its role
   * @throws PodError `nothing_left` where its files are gone or cannot be opened
   */
  salvage(spec: PodSpec): Promise<PodHandle>;

  /**
   * What is left of this pod, or null where nothing is. That it is `dead` or gone is so now; that it is `running` may be a moment old where another
   * replica has just removed it, and then its agent does not answer.
   */
  inspect(pod: PodIdentity): Promise<PodState | null>;

  /** Everything that this driver ever made and that is not wholly removed, also what was never recorded. */
  list(): Promise<PodState[]>;

  /** Why pods are not kept from each other and from Reprise where they run; null where they are. A driver that always keeps them so has no word on it. */
  weakness?(): Promise<string | null>;

  /** Of each workspace that ever had a pod the newest generation that was ever created: `create` refuses any before it. */
  fences(): Promise<PodIdentity[]>;
}

export type PodErrorReason =
  /** A newer generation of this workspace was created before. Final. */
  | 'stale_generation'
  /** A pod of an older generation lives: save and remove it first. Final until then. */
  | 'older_pod_alive'
  /** Nothing of the pod is left that could be salvaged. Final. */
  | 'nothing_left'
  /** The spec cannot be made into a pod. Final. */
  | 'invalid_spec'
  /** The agent ended before it listened. Worth another try. */
  | 'start_failed'
  /** The agent did not listen in time; it was ended. Worth another try. */
  | 'start_timeout'
  /** The image cannot be pulled, or is none. Worth another try: registries come and go. */
  | 'image_unavailable'
  /** The back end's quota for pods is used up. Worth another try, later. */
  | 'quota_exceeded'
  /** No node has room for it. Worth another try, later. */
  | 'unschedulable'
  /** No room on the disk for the pod. Worth another try, later. */
  | 'no_space'
  /** The operating system does not allow it. Final until someone changes that. */
  | 'denied'
  /** Processes of the pod outlived SIGKILL, or its directory cannot be removed. Worth another try. */
  | 'not_removed'
  /** Another holder works at this workspace's pods and did not finish in time. Worth another try. */
  | 'locked'
  /** Anything else that the driver's host answered. Worth another try. */
  | 'unavailable';

const RETRYABLE: ReadonlySet<PodErrorReason> = new Set<PodErrorReason>([
  'start_failed',
  'start_timeout',
  'image_unavailable',
  'quota_exceeded',
  'unschedulable',
  'no_space',
  'not_removed',
  'locked',
  'unavailable',
]);

/** Why a pod could not be made, removed or looked at. `detail` is for the operation's record; it never holds a secret. */
export class PodError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly reason: PodErrorReason,
    readonly detail: string,
    options?: { cause?: unknown },
  ) {
    super(`${reason}: ${detail}`, options);
    this.name = 'PodError';
    this.retryable = RETRYABLE.has(reason);
  }
}
