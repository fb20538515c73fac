import type { OperationErrorCode, Step } from '@reprise/contracts';
import type { Job, StepFailure } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { AgentError } from '../pods/agent-client.types';
import { SnapshotStoreError } from '../snapshots/snapshot-store';

/**
 * One step of a job. Idempotent: it may be run again after any part of it was done, by this process or another, and then ends the same. What it
 * makes is named by workspace and generation, so that it finds again what an earlier attempt made.
 */
export interface StepHandler {
  readonly step: Step;

  /** What the records say while the step runs; written with the journal entry of its start. */
  begins(job: Job): RecordChanges;

  /**
   * Does the work and says what the records say afterwards. Once the signal is aborted nothing more is begun: the lease may be another's.
   * @throws StepError, PodError, AgentError, SnapshotStoreError; anything else counts as worth another try
   */
  run(job: Job, signal: AbortSignal): Promise<StepOutcome>;
}

/** Injects all `StepHandler`s, by step. */
export const STEP_HANDLERS = Symbol('step handlers');
export type StepHandlers = Readonly<Record<Step, StepHandler>>;

/** Why a step cannot do its work, where no port has its own word for it. */
export class StepError extends Error {
  readonly retryable: boolean;
  readonly podLost: boolean;

  constructor(
    message: string,
    kind: 'final' | 'retryable' | 'pod-lost',
    readonly code?: OperationErrorCode,
  ) {
    super(message);
    this.name = 'StepError';
    this.retryable = kind === 'retryable';
    this.podLost = kind === 'pod-lost';
  }
}

const LONGEST_MESSAGE = 2_000;

/** What an error thrown by a step means to its job. The ports' own errors say whether they are worth another try; what nobody knows is. */
export function failureOf(error: unknown): StepFailure {
  const { message, retryable, podLost } = error as { message?: unknown; retryable?: unknown; podLost?: unknown };
  const code = codeOf(error);
  return {
    message: writable(typeof message === 'string' && message !== '' ? message : String(error)),
    retryable: retryable !== false,
    podLost: podLost === true,
    ...(code === undefined ? {} : { code }),
  };
}

/** The agent finds a workspace too large before it reads it; what was stored all the same is found when it is read back. */
function codeOf(error: unknown): OperationErrorCode | undefined {
  if (error instanceof StepError) return error.code;
  const isTooLarge =
    (error instanceof AgentError && error.agentCode === 'snapshot_too_large') ||
    (error instanceof SnapshotStoreError && error.reason === 'too_large');
  return isTooLarge ? 'snapshot_too_large' : undefined;
}

/** PostgreSQL takes neither NUL nor half a surrogate pair in JSON: a message with one would keep its own failure from being recorded. */
export function writable(text: string, longest = LONGEST_MESSAGE): string {
  return Buffer.from(text.slice(0, longest).replaceAll('\0', ' ')).toString();
}

/** The spec of a job that makes a pod. */
export function specOf(job: Job): NonNullable<Job['spec']> {
  if (job.spec === null) throw new StepError(`A ${job.kind} job has no pod to make.`, 'final');
  return job.spec;
}

/** The pod that the job makes. */
export function newPodOf({ workspaceId, generation }: Job): { workspaceId: string; generation: number } {
  return { workspaceId, generation };
}

/** The pod that the job saves and tears down. */
export function oldPodOf({ workspaceId, podGeneration }: Job): { workspaceId: string; generation: number } {
  if (podGeneration === null) throw new StepError('The job has no pod to save.', 'final');
  return { workspaceId, generation: podGeneration };
}
