import { TaskReportStatus, TaskStatus } from '@reprise/contracts';

/** The life of a task. Pure. The first end wins: what arrives after it changes nothing. */

export const ENDED: readonly TaskStatus[] = ['completed', 'failed', 'cancelled', 'delivery_failed'];

/** How far along a task that has not ended is; a fact never takes it back. */
const PROGRESS: Readonly<Partial<Record<TaskStatus, number>>> = { submitted: 0, delivered: 1, running: 2 };

export function hasEnded(status: TaskStatus): boolean {
  return ENDED.includes(status);
}

/** The status after a fact about the task, or null where the fact changes nothing: the task has ended, or is further along already. */
export function afterFact(status: TaskStatus, fact: TaskReportStatus | 'delivered' | 'delivery_failed'): TaskStatus | null {
  if (hasEnded(status)) return null;
  if (fact === 'delivery_failed') return status === 'running' ? null : fact;
  if (hasEnded(fact)) return fact;
  return (PROGRESS[fact] ?? 0) > (PROGRESS[status] ?? 0) ? fact : null;
}
