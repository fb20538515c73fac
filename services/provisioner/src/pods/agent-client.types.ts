import type { Readable } from 'node:stream';
import type { Encoding } from '../snapshots/encoding';
import type { SnapshotLimits } from '../snapshots/limits';

/** The pod contract (docs/pod-contract.md) as the provisioner's steps see it. One client talks to one pod. */
export interface PodAgent {
  /** Answers without a token. @throws AgentError */
  health(): Promise<AgentHealth>;

  /**
   * Takes no more tasks and ends the running one. Idempotent: the same answer each time until `resumeWork`.
   * @throws AgentError
   */
  quiesce(reason: string): Promise<AgentAtRest>;

  /** Makes a new pod ready, lets a quiesced one go on. Idempotent. @throws AgentError */
  resumeWork(): Promise<void>;

  /**
   * Lets everything in the pod stand still for a checkpoint: as quiesced, but that what runs in the background goes on afterwards. A task, or a quiesce, that
   * comes meanwhile ends it, and with it a snapshot that is under way; so does a while in which nobody takes one.
   * @throws AgentError `busy`, `not_ready` as `agentCode`
   */
  freeze(): Promise<{ inBackground: number }>;

  /** Ends a freeze. False where something else had ended it, and nothing is changed. @throws AgentError */
  thaw(): Promise<boolean>;

  /**
   * The workspace as a tar stream; only while quiesced. Read `stream` to its end, then await `digest`: the agent's own
   * digest of the tar bytes. A stream that breaks rejects both. Destroy `stream` to give up.
   * @throws AgentError when it does not begin; `snapshot_too_large` as `agentCode`
   */
  snapshot(limits: SnapshotLimits): Promise<AgentSnapshot>;

  /**
   * Fills a pod that is still starting. The agent checks the digest before anything is moved in place. Repeatable.
   * @throws AgentError
   */
  restore(tar: Readable, expected: { sha256: string }): Promise<{ entries: number; bytes: number }>;

  /**
   * The agent sends the workspace to a store by itself, as a compressed tar in parts; only while quiesced. Nothing is there until whoever asked puts
   * the parts together.
   * @throws AgentError `store_unreachable`, `store_failed`, `snapshot_too_large` as `agentCode`; what `addressOfPart` throws
   */
  upload(to: UploadTarget, limits: SnapshotLimits, signal: AbortSignal): Promise<AgentUpload>;

  /**
   * As `restore`, of a compressed tar that the agent fetches by itself. Repeatable.
   * @throws AgentError `store_unreachable`, `store_failed` as `agentCode`
   */
  download(
    address: string,
    expected: { sha256: string; encoding: Encoding },
    signal: AbortSignal,
  ): Promise<{ entries: number; bytes: number }>;

  /** `already` where the agent knows this task: it does not run twice. @throws AgentError `refused` with `busy`, `not_ready` */
  runTask(task: AgentTask): Promise<'accepted' | 'already'>;

  /** False where the agent does not run this task. @throws AgentError */
  cancelTask(taskId: string, reason: string): Promise<boolean>;

  /** The conversation as NDJSON. @throws AgentError */
  history(): Promise<string>;
}

export interface AgentHealth {
  readonly status: 'starting' | 'ready' | 'quiesced';
  readonly workspaceId: string;
  readonly generation: number;
  readonly taskId: string | null;
  /** Whether it serves what a dead pod has left, and does nothing else. */
  readonly salvages?: true;
}

export interface AgentAtRest {
  readonly interruptedTaskId: string | null;
  /** What that task had printed; absent where the agent does not tell. */
  readonly interruptedTaskOutput?: string;
}

export interface AgentSnapshot {
  readonly stream: Readable;
  readonly digest: Promise<{ sha256: string; entries: number }>;
}

export interface UploadTarget {
  readonly partBytes: number;
  addressOfPart(number: number): Promise<string>;
}

export interface AgentUpload {
  /** Of the tar. */
  readonly sha256: string;
  readonly entries: number;
  readonly bytes: number;
  /** Of what was sent. */
  readonly storedSha256: string;
  readonly storedBytes: number;
  /** How it is compressed: not as it was asked to, where it is an agent that knows gzip alone. */
  readonly encoding: Encoding;
  readonly parts: readonly { readonly number: number; readonly etag: string }[];
}

export interface AgentTask {
  readonly taskId: string;
  readonly description: string;
  readonly timeoutSeconds?: number;
}

export type AgentErrorReason =
  /** No connection: the pod is not there, or not yet. Retryable. */
  | 'unreachable'
  /** No answer in time. Retryable: every request of the contract may be repeated. */
  | 'timeout'
  /** The connection broke in the middle. Retryable. */
  | 'broken'
  /** The agent answered 5xx. Retryable. `agentCode` says which. */
  | 'failed'
  /** The agent answered 4xx: repeating changes nothing. `agentCode` says why. */
  | 'refused'
  /** What answered is not the agent, or its answer was spoilt on the way: it may have done what was asked. Retryable. */
  | 'bad_answer';

const RETRYABLE: ReadonlySet<AgentErrorReason> = new Set<AgentErrorReason>(['unreachable', 'timeout', 'broken', 'failed', 'bad_answer']);

/** Why a request to an agent came to nothing. Never holds the token. */
export class AgentError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly reason: AgentErrorReason,
    readonly detail: string,
    /** The HTTP status and the agent's own code, where it answered. */
    readonly answer?: { status: number; code: string; details?: Readonly<Record<string, unknown>> },
    options?: { cause?: unknown },
  ) {
    super(`${reason}: ${detail}`, options);
    this.name = 'AgentError';
    this.retryable = RETRYABLE.has(reason);
  }

  /** The agent's code (`busy`, `not_quiesced`, …), or undefined where it did not answer. */
  get agentCode(): string | undefined {
    return this.answer?.code;
  }
}
