import {
  OperationErrorCode,
  OperationKind,
  PhaseStatus,
  PhaseView,
  PodLostPolicy,
  PodStepChanged,
  Step,
  StepStatus,
  TASK_REASONS,
  WorkspaceFailure,
  WorkspaceStatus,
} from '@reprise/contracts';

/**
 * What the provisioner's facts do to an operation and its workspace. Pure. Facts may arrive twice, late or out of order; each function gives
 * the same result for the same fact applied again, and `isCurrent` fences everything that belongs to the past.
 */

export interface Fence {
  operationId: string | null;
  generation: number;
}

/** Whether a fact is about the operation that the workspace is in. An older generation's fact changes nothing. */
export function isCurrent(workspace: Fence, fact: { operation_id: string; generation: number }): boolean {
  return workspace.operationId === fact.operation_id && workspace.generation === fact.generation;
}

/** How an operation ends for its workspace. */
export interface Ending {
  status: WorkspaceStatus;
  /** The generation of the pod that lives after it; null: none. */
  podGeneration: number | null;
  /** The reason with which a task that still counts as running ends `cancelled` or `failed`; null: it runs on. */
  taskEnds: { status: 'cancelled' | 'failed'; reason: (typeof TASK_REASONS)[number] } | null;
}

interface Before {
  podGeneration: number | null;
  runningTaskId: string | null;
}

/** The reason of a task that an operation of this kind interrupts. */
export function interruptionOf(kind: OperationKind): 'interrupted_by_restart' | 'interrupted_by_stop' {
  return kind === 'stop' ? 'interrupted_by_stop' : 'interrupted_by_restart';
}

/** A create, restart or resume reached its goal: the pod of its generation is live. */
export function whenReady(kind: OperationKind, generation: number, before: Before): Ending {
  return {
    status: 'idle',
    podGeneration: generation,
    taskEnds: before.runningTaskId ? { status: 'cancelled', reason: interruptionOf(kind) } : null,
  };
}

/** A stop reached its goal. */
export function whenRemoved(kind: OperationKind, before: Before): Ending {
  return {
    status: 'stopped',
    podGeneration: null,
    taskEnds: before.runningTaskId ? { status: 'cancelled', reason: interruptionOf(kind) } : null,
  };
}

/**
 * A job failed. Where the older pod was kept, the workspace goes back to what it was: busy if its task still runs, else idle. Where not, it
 * is failed, and resume brings it back from its last good snapshot.
 */
export function whenFailed(podKept: boolean, before: Before): Ending {
  if (podKept) return { status: before.runningTaskId ? 'busy' : 'idle', podGeneration: before.podGeneration, taskEnds: null };
  return { status: 'failed', podGeneration: null, taskEnds: before.runningTaskId ? { status: 'failed', reason: 'pod_lost' } : null };
}

/**
 * An ending with a pod that was told lost before: facts may come in any order, and the reconciler tells of a loss once. The workspace is failed
 * at once, as it is by a loss that is told in time.
 */
export function unlessLost(ending: Ending, lostGeneration: number | null, { runningTaskId }: Before): Ending {
  if (ending.podGeneration === null || ending.podGeneration !== lostGeneration) return ending;
  const taskEnds = ending.taskEnds ?? (runningTaskId ? { status: 'failed', reason: 'pod_lost' } : null);
  return { status: 'failed', podGeneration: null, taskEnds };
}

/**
 * When a pod was lost, where its workspace is to be resumed for it. What the role says at that moment counts: who changes it later does not bring up
 * what has been failed for long.
 */
export function lostAt({ on_pod_lost: policy }: { on_pod_lost: PodLostPolicy }, now: Date): Date | null {
  return policy === 'resume' ? now : null;
}

/** What a pod that is gone without anyone having asked is called, where no operation failed for it. */
const POD_LOST = { code: 'pod_lost', message: 'The pod was lost.' } as const;

/**
 * Why the workspace has failed, after an operation ended so; null where it has not. An operation that succeeded with a pod that was lost meanwhile
 * leaves it failed as well.
 */
export function failureOf(
  { status }: Pick<Ending, 'status'>,
  error: { code: OperationErrorCode; message: string } | null,
  operationId: string,
  at: Date,
): WorkspaceFailure | null {
  return status === 'failed' ? { ...(error ?? POD_LOST), operation_id: operationId, at: at.toISOString() } : null;
}

/** Steps whose failure says that the state could not be saved. */
const SAVING: readonly Step[] = ['salvage', 'quiesce', 'snapshot', 'verify'];

/** What `last_snapshot_error` holds after a failed job: the text, or null where saving was not what failed. */
export function snapshotErrorOf(step: Step, message: string): string | null {
  return SAVING.includes(step) ? message : null;
}

/** With this the next pod is being made. */
function beginsPod({ step, status }: Pick<StepFact, 'step' | 'status'>): boolean {
  return step === 'create' && status === 'started';
}

/** The status that steps give a workspace in the operation that they are of, or null where it stays. */
export function statusAfter(
  kind: OperationKind,
  workspace: Fence & { status: WorkspaceStatus },
  steps: readonly Pick<FencedStep, 'operation_id' | 'generation' | 'step' | 'status'>[],
): WorkspaceStatus | null {
  if (workspace.status !== 'stopping' || kind !== 'restart') return null;
  return steps.some((step) => isCurrent(workspace, step) && beginsPod(step)) ? 'provisioning' : null;
}

/** One beginning or end of a step. */
export interface StepFact {
  step: Step;
  status: StepStatus;
  attempt: number;
  at: string;
  detail?: string;
}

/** The same, with what fences it. */
type FencedStep = StepFact & Pick<PodStepChanged, 'operation_id' | 'generation'>;

/** What one message tells: the beginning or the end of a step, and with an end the beginning of what came next. */
export function stepsOf({ operation_id, generation, step, status, attempt, at, detail, next }: PodStepChanged): FencedStep[] {
  const fence = { operation_id, generation };
  const told: FencedStep = { ...fence, step, status, attempt, at, ...(detail === undefined ? {} : { detail }) };
  return next ? [told, { ...fence, step: next.step, attempt: next.attempt, status: 'started', at }] : [told];
}

/** Whether what these tell may change more than the timeline: the status of the workspace, or a task of it. Most do not. */
export function reachWorkspace(told: readonly PodStepChanged[]): boolean {
  return told.some(({ interrupted_task_id: task }) => task) || told.flatMap(stepsOf).some(beginsPod);
}

/** A phase as it is kept; the attempt tells a late fact from a new try. */
export interface PhaseRecord extends PhaseView {
  attempt: number;
}

/** The timeline with a fact worked in; the same timeline, to the reference, where the fact is old. */
export function withStep(phases: readonly PhaseRecord[], fact: StepFact): readonly PhaseRecord[] {
  const index = phases.findIndex((p) => p.name === fact.step);
  const known = phases[index];
  const next = merge(known, fact);
  if (next === known) return phases;
  const others = phases.filter((_, i) => i !== index);
  return [...others, next].sort((a, b) => a.started_at.localeCompare(b.started_at));
}

function merge(known: PhaseRecord | undefined, { step, status, attempt, at, detail }: StepFact): PhaseRecord {
  const again = attempt === known?.attempt;
  if (known && (attempt < known.attempt || (again && known.status !== 'running'))) return known;
  if (status === 'started') {
    return again && known ? known : { name: step, status: 'running', started_at: known?.started_at ?? at, finished_at: null, attempt };
  }
  return {
    name: step,
    status,
    started_at: known?.started_at ?? at,
    finished_at: at,
    ...(detail === undefined ? {} : { detail }),
    attempt,
  };
}

/** The timeline of an operation that has ended: a step whose own end has not been told yet ended with it. */
export function closed(phases: readonly PhaseRecord[], status: Exclude<PhaseStatus, 'running'>, at: Date): PhaseRecord[] {
  return phases.map((phase) => (phase.status === 'running' ? { ...phase, status, finished_at: at.toISOString() } : phase));
}

/** Why an operation that missed its deadline failed: the phase it was in says where. */
export function timeoutMessage(phases: readonly PhaseView[]): { code: OperationErrorCode; message: string } {
  const running = phases.find((p) => p.status === 'running') ?? phases.at(-1);
  const where = running ? `in the phase ${running.name}` : 'before its first phase';
  return { code: 'operation_timeout', message: `The operation missed its deadline ${where}.` };
}

/** From when on an operation that nothing more was heard of is quiet. */
export function quietFrom(now: Date, { operationResendSeconds }: { operationResendSeconds: number }): Date {
  return new Date(now.getTime() + operationResendSeconds * 1000);
}
