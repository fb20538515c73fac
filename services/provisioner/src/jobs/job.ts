import type { OperationErrorCode, PodSpec, Step } from '@reprise/contracts';

export const JOB_KINDS = ['create', 'replace', 'remove'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** `waiting`: nobody has it. `running`: a worker holds its lease. The other two are ends. */
export type JobStatus = 'waiting' | 'running' | 'succeeded' | 'failed';

/** What has to be done for the workspace before a job that gives up may end. */
export type Cleanup =
  /** The older pod takes tasks again. */
  | 'let-go'
  /** The half-made pod is removed. */
  | 'discard'
  /** Nothing can be done, or nothing need be. */
  | 'none';

/** How a job that cannot reach its goal ends. Decided and recorded before the clean-up begins, so that any replica carries it out. */
export interface Ending {
  readonly step: Step;
  readonly code: OperationErrorCode;
  readonly message: string;
  readonly cleanup: Cleanup;
}

/** What a command asks for, as it is recorded. */
export interface JobOrder {
  readonly id: string;
  readonly kind: JobKind;
  readonly operationId: string;
  readonly workspaceId: string;
  readonly orgId: string | null;
  /** The operation's generation, and that of the pod that the job makes. */
  readonly generation: number;
  /** The generation of the pod that the job saves and tears down. Of a create: an older pod that holds what no snapshot has, or null. */
  readonly podGeneration: number | null;
  /** Of a create: go on from the last good snapshot, and discard what a lost pod left. */
  readonly fromSnapshot: boolean;
  /** Of a remove: all pods of the workspace are ended without being saved. */
  readonly withoutSnapshot: boolean;
  /** Null for a remove. */
  readonly spec: PodSpec | null;
  /** The workspace's last good snapshot: the command's, or a newer one that is known here; the job's own once that is verified. */
  readonly snapshotId: string | null;
  readonly deadlineAt: Date;
  readonly acceptedAt: Date;
  readonly correlationId: string;
  readonly traceparent: string | null;
  readonly actor: string | null;
}

/** A job as a worker holds it. */
export interface Job extends JobOrder {
  readonly status: JobStatus;
  /** Raised by every claim. Each write names it, so that a worker which has lost its lease writes nothing. */
  readonly epoch: number;
  /** The step that is to be run, or is running; null before the first. */
  readonly step: Step | null;
  /** How often the step was begun. */
  readonly attempt: number;
  /** Whether the attempt has begun and its end is not recorded yet. */
  readonly begun: boolean;
  /** How many attempts of the step failed by themselves; one that was interrupted (a crash, a shutdown) is not counted. */
  readonly failures: number;
  /** The snapshot that the job makes, from its first attempt on. */
  readonly newSnapshotId: string | null;
  /** The pod that the job saves is dead: it is opened by an agent that serves its files and does nothing else. */
  readonly salvage: boolean;
  /** Of a create: why the state is older than the end of the pod before, as far as that is so. */
  readonly stateLost: string | null;
  readonly ending: Ending | null;
  /** The workspace's highest accepted generation when the job was last read: above the job's own, it is superseded. */
  readonly highestGeneration: number;
}

/** Why an attempt at a step came to nothing. */
export interface StepFailure {
  readonly message: string;
  readonly retryable: boolean;
  /** What the operation fails with, where it says more than the step that failed. */
  readonly code?: OperationErrorCode;
  /** The pod that was to be saved is dead: what it held since its last snapshot cannot be saved any more. */
  readonly podLost: boolean;
}
