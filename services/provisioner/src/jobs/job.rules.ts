import type { OperationErrorCode, Step } from '@reprise/contracts';
import type { Cleanup, Ending, Job, StepFailure } from './job';

/** What saves and removes the pod that is there. Its last step is begun only when the one before has proved the snapshot. */
const SAVE_STEPS: readonly Step[] = ['quiesce', 'snapshot', 'verify', 'teardown'];
/** The same of a pod that is dead, and whose files are still there. */
const SALVAGE_STEPS: readonly Step[] = ['salvage', 'snapshot', 'verify', 'teardown'];
const BEFORE_NEW_POD: ReadonlySet<Step> = new Set([...SAVE_STEPS, ...SALVAGE_STEPS]);

type Planned = Pick<Job, 'kind' | 'podGeneration' | 'snapshotId' | 'salvage' | 'withoutSnapshot'>;

/**
 * | job     | steps                                                       |
 * | ------- | ----------------------------------------------------------- |
 * | replace | quiesce, snapshot, verify, teardown, create, restore, ready |
 * | remove  | quiesce, snapshot, verify, teardown                         |
 * |         | teardown, where nothing is to be saved                      |
 * | create  | create, restore (if there is a snapshot), ready             |
 *
 * A create that found an older pod alive saves that one first: it runs the steps of a replace. One that found it dead with its files still there
 * does, too, with salvage in the place of quiesce.
 */
export function planOf(job: Planned): readonly Step[] {
  if (job.kind === 'remove') return job.withoutSnapshot ? ['teardown'] : SAVE_STEPS;
  if (job.kind === 'replace' || job.podGeneration !== null) {
    return [...(job.salvage ? SALVAGE_STEPS : SAVE_STEPS), 'create', 'restore', 'ready'];
  }
  return job.snapshotId === null ? ['create', 'ready'] : ['create', 'restore', 'ready'];
}

/** The step that follows; the first one after null; null after the last. */
export function stepAfter(job: Planned, step: Step | null): Step | null {
  const plan = planOf(job);
  return plan[step === null ? 0 : plan.indexOf(step) + 1] ?? null;
}

/** What the pod that the job makes begins from: a snapshot's id, or one of the two that are none. */
export function stateFrom({ salvage, snapshotId }: Pick<Job, 'salvage' | 'snapshotId'>): string {
  return salvage ? 'salvage' : (snapshotId ?? 'empty');
}

/** How a failed step is tried again. */
export interface RetryLimits {
  /** Attempts of one step that may fail before the job gives up. Teardown has no such limit: its snapshot is safe, only time ends it. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

export type Verdict = { readonly retryInMs: number } | { readonly giveUp: Ending };

/** What an attempt's failure leads to. */
export function afterFailure(job: Job, step: Step, failure: StepFailure, limits: RetryLimits, now: Date): Verdict {
  if (failure.podLost) return { giveUp: { step, code: 'pod_lost', message: failure.message, cleanup: 'none' } };
  const failures = job.failures + 1;
  if (step !== 'teardown' && (!failure.retryable || failures >= limits.attempts)) {
    return { giveUp: ending(job, step, failure.code ?? codeOf(job, step), failure.message) };
  }
  const retryInMs = Math.min(limits.longestDelayMs, limits.firstDelayMs * 2 ** Math.min(failures - 1, 20));
  if (now.getTime() + retryInMs < stopAt(job)) return { retryInMs };
  return { giveUp: ending(job, step, 'operation_timeout', `There is no time left for another attempt: ${failure.message}`) };
}

/** Whether the step may be begun at all: the ending, where the job is out of time or a newer operation of its workspace was accepted. */
export function bar(job: Job, step: Step, now: Date): Ending | null {
  if (job.highestGeneration > job.generation) {
    return ending(job, step, 'operation_timeout', `Superseded: generation ${job.highestGeneration} was accepted.`);
  }
  if (now.getTime() >= stopAt(job)) {
    return ending(job, step, 'operation_timeout', `Not done by ${job.deadlineAt.toISOString()}; ${step} was next.`);
  }
  return null;
}

/** Time that a job keeps for its clean-up, so that its own word comes before the deadline; a tenth of all where it was given little. */
const RESERVE_MS = 15_000;

/** The moment, in epoch milliseconds, from which the job begins nothing more. */
export function stopAt({ deadlineAt, acceptedAt }: Pick<Job, 'deadlineAt' | 'acceptedAt'>): number {
  const given = Math.max(0, deadlineAt.getTime() - acceptedAt.getTime());
  return deadlineAt.getTime() - Math.min(RESERVE_MS, given / 10);
}

const FAILED: Record<Step, OperationErrorCode> = {
  salvage: 'salvage_failed',
  quiesce: 'quiesce_failed',
  snapshot: 'snapshot_failed',
  verify: 'verify_failed',
  teardown: 'teardown_failed',
  create: 'create_failed',
  restore: 'restore_failed',
  ready: 'ready_failed',
};

/** Whatever keeps what a lost pod left from being saved is one failure: the step says where. */
function codeOf({ salvage }: Pick<Job, 'salvage'>, step: Step): OperationErrorCode {
  return salvage && (step === 'snapshot' || step === 'verify') ? 'salvage_failed' : FAILED[step];
}

function ending(job: Pick<Job, 'kind' | 'attempt' | 'step'>, step: Step, code: OperationErrorCode, message: string): Ending {
  return { step, code, message, cleanup: cleanupAt(job, step) };
}

/**
 * Before the teardown has begun the older pod is whole, and is let go on. A teardown that has begun cannot be taken back, and is
 * left to the reconciler. After it nothing may stay of the new pod: the snapshot is the workspace's state.
 *
 * A create keeps no pod: its workspace was stopped or failed, and becomes so again. An older pod that it could not save stays where it
 * is, dead or alive, with all that it holds and without tasks, until the next resume saves it.
 */
function cleanupAt(job: Pick<Job, 'kind' | 'attempt' | 'step'>, step: Step): Cleanup {
  if (!BEFORE_NEW_POD.has(step)) return 'discard';
  const teardownBegun = step === 'teardown' && job.step === step && job.attempt > 0;
  return job.kind === 'create' || teardownBegun ? 'none' : 'let-go';
}
