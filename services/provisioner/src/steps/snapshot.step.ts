import { Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges, SnapshotReason } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { ProvisionerMetrics } from '../metrics/provisioner-metrics';
import { keyOf } from '../snapshots/object-key';
import { SnapshotStoreError } from '../snapshots/snapshot-store';
import { Agents } from './agents';
import { PodSaver } from './pod-saver';
import { quiesceReason } from './quiesce.step';
import { StepError, type StepHandler } from './step';

/**
 * Where an attempt's object stands. One key an attempt, not one a snapshot: a worker that was taken for dead may still be writing, and must not put
 * its own bytes in the place of those that its successor has verified.
 */
export function attemptKey(job: Pick<Job, 'id' | 'newSnapshotId' | 'workspaceId' | 'attempt'>): string {
  return keyOf(job.workspaceId, newSnapshotOf(job), job.attempt);
}

/** The pod's files, streamed into the store. An attempt that is run again begins anew, and replaces the record of the one before. */
@Injectable()
export class SnapshotStep implements StepHandler {
  readonly step = 'snapshot';

  constructor(
    private readonly agents: Agents,
    private readonly saver: PodSaver,
    private readonly metrics: ProvisionerMetrics,
  ) {}

  begins(job: Job): RecordChanges {
    return { snapshot: { id: newSnapshotOf(job), status: 'writing', key: attemptKey(job), reason: reasonOf(job) } };
  }

  async run(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    const pod = await this.agents.old(job);
    // Whatever made the earlier attempt fail may have let the pod go on.
    if (job.attempt > 1) await pod.agent.quiesce(quiesceReason(job));
    signal.throwIfAborted();
    try {
      const { record, by } = await this.saver.save(pod, attemptKey(job), signal);
      this.metrics.saved(record);
      return {
        detail: `${record.entries} entries, ${record.tarBytes} bytes, ${record.storedBytes} stored${by}`,
        records: { snapshot: { id: newSnapshotOf(job), status: 'complete', record } },
      };
    } catch (error) {
      // Broken on its way: the pod still has every byte, so it can be taken again.
      if (error instanceof SnapshotStoreError && error.reason === 'corrupt') throw new StepError(error.message, 'retryable');
      throw error;
    }
  }
}

function reasonOf({ kind, salvage }: Job): SnapshotReason {
  if (salvage) return 'salvage';
  return kind === 'remove' ? 'stop' : 'restart';
}

/** The id of the snapshot that the job makes. */
export function newSnapshotOf(job: Pick<Job, 'id' | 'newSnapshotId'>): string {
  if (job.newSnapshotId === null) throw new StepError(`Job ${job.id} has begun no snapshot.`, 'final');
  return job.newSnapshotId;
}
