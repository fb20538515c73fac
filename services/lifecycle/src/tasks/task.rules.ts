import { TaskReportStatus, TaskStatus } from '@reprise/contracts';

/** The life of a task. Pure. The first end wins: what arrives after it changes nothing. */

export const ENDED: readonly TaskStatus[] = ['completed', 'failed', 'cancelled', 'delivery_failed'];

/** How far along a task that has not ended is; a fact never takes it back. */
const PROGRESS: Readonly<Partial<Record<TaskStatus, number>>> = { submitted: 0, delivered: 1, running: 2 };

export function hasEnded(status: TaskStatus): boolean {
  return ENDED.includes(status);
}

/** How a report ends its task. An agent calls what it was told to end cancelled; told so for being past its time, the task has failed. */
export function endOfReport<S extends TaskReportStatus>(status: S, reason: string | undefined): S | 'failed' {
  return status === 'cancelled' && reason === 'timeout' ? 'failed' : status;
}

/** What a task that has not ended needs by now. */
export type Attention = 'resend' | 'interrupt' | 'end';

/** How often a task past its deadline is interrupted before it has failed without its agent. */
export const INTERRUPTS = 2;

export interface Watched {
  status: TaskStatus;
  deadline_at: Date;
  resend_at: Date | null;
  interrupts: number;
}

/** What is to be done about a task, or null where it has ended or has time left. */
export function attentionTo(task: Watched, now: Date): Attention | null {
  if (hasEnded(task.status)) return null;
  if (now >= task.deadline_at) return task.interrupts < INTERRUPTS ? 'interrupt' : 'end';
  return task.status === 'submitted' && task.resend_at !== null && now >= task.resend_at ? 'resend' : null;
}

/** The status after a fact about the task, or null where the fact changes nothing: the task has ended, or is further along already. */
export function afterFact(status: TaskStatus, fact: TaskReportStatus | 'delivered' | 'delivery_failed'): TaskStatus | null {
  if (hasEnded(status)) return null;
  if (fact === 'delivery_failed') return status === 'running' ? null : fact;
  if (hasEnded(fact)) return fact;
  return (PROGRESS[fact] ?? 0) > (PROGRESS[status] ?? 0) ? fact : null;
}
