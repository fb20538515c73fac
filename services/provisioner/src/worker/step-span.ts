import { inSpan } from '@reprise/platform';
import type { Job } from '../jobs/job';

/**
 * One attempt at a step, in the trace that the job was accepted in: the journal keeps it, so an attempt after a crash, on another replica, belongs
 * to the same. The attempts at a step stand beside each other. No span covers the whole job: it would be lost with the process that began it.
 */
export function inStepSpan<T>({ id, kind, step, attempt, generation }: Job, work: () => Promise<T>): Promise<T> {
  const attributes = {
    'reprise.job.id': id,
    'reprise.job.kind': kind,
    'reprise.step': step ?? '',
    'reprise.step.attempt': attempt,
    'reprise.generation': generation,
  };
  return inSpan(`step ${step}`, { attributes }, work);
}
