import { PodJobFailed, PodReady, PodRemoved, PodStepChanged, type MessageClass, type Step, type StepStatus } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';
import { currentContext } from '@reprise/platform';
import type { Job } from './job';
import { stateFrom } from './job.rules';

const LONGEST_TEXT = 2_000;

/** One change of a step, as the journal and the event tell it. */
export interface StepChange {
  readonly step: Step;
  readonly attempt: number;
  readonly status: StepStatus;
  readonly at: Date;
  readonly detail?: string;
  /** With the end of `quiesce`. */
  readonly interruptedTaskId?: string | null;
  /** With the task that was interrupted: what it had printed. */
  readonly interruptedTaskOutput?: string;
}

export function stepChanged(
  job: Job,
  { step, attempt, status, at, detail, interruptedTaskId, interruptedTaskOutput }: StepChange,
): OutgoingMessage<PodStepChanged> {
  return event(job, PodStepChanged, {
    ...about(job),
    step,
    status,
    attempt,
    at: at.toISOString(),
    ...(detail === undefined ? {} : { detail: detail.slice(0, LONGEST_TEXT) }),
    ...(interruptedTaskId === undefined ? {} : { interrupted_task_id: interruptedTaskId }),
    ...(interruptedTaskOutput === undefined ? {} : { interrupted_task_output: interruptedTaskOutput }),
  });
}

/** The same end of a step, told together with what began at that moment. */
export function withNext(
  end: OutgoingMessage<PodStepChanged>,
  { step, attempt }: Pick<StepChange, 'step' | 'attempt'>,
): OutgoingMessage<PodStepChanged> {
  return { ...end, data: { ...end.data, next: { step, attempt } } };
}

/** The goal of the job, told by its kind. */
export function succeeded(job: Job): OutgoingMessage {
  if (job.kind === 'remove') {
    return event(job, PodRemoved, {
      ...about(job),
      snapshot_id: job.snapshotId,
      ...(job.withoutSnapshot
        ? { state_lost: 'What the workspace held since its last snapshot was discarded, as an operator asked.' }
        : {}),
    });
  }
  return event(job, PodReady, {
    ...about(job),
    role_version: job.spec?.role_version ?? 1,
    snapshot_id: job.snapshotId,
    state_from: stateFrom(job),
    ...(job.stateLost === null ? {} : { state_lost: job.stateLost.slice(0, LONGEST_TEXT) }),
  });
}

/** The snapshot is always the last good one, so that whoever hears of the failure knows what a resume begins from. */
export function failed(job: Job, podKept: boolean): OutgoingMessage<PodJobFailed> {
  const { step, code, message } = job.ending ?? { step: 'create', code: 'create_failed', message: 'unknown' };
  return event(job, PodJobFailed, {
    ...about(job),
    pod_kept: podKept,
    step,
    code,
    message: message.slice(0, LONGEST_TEXT),
    snapshot_id: job.snapshotId,
  });
}

function about(job: Job): { operation_id: string; workspace_id: string; generation: number } {
  return { operation_id: job.operationId, workspace_id: job.workspaceId, generation: job.generation };
}

function event<T extends object>(job: Job, message: MessageClass<T>, data: T): OutgoingMessage<T> {
  return {
    type: message.type,
    data,
    subject: job.workspaceId,
    orgId: job.orgId,
    actor: job.actor,
    correlationId: job.correlationId,
    // Of the step that it tells of: the statement that appends it comes after that.
    traceparent: currentContext().traceparent ?? job.traceparent,
  };
}
