import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { ProvisionerMetrics } from '../metrics/provisioner-metrics';
import { SNAPSHOT_STORE, TRANSFERS } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import { snapshotLimits } from '../snapshot-store.config';
import { SnapshotStoreError, type SnapshotStore } from '../snapshots/snapshot-store';
import { saveDirectly, type SnapshotRecord } from '../snapshots/snapshots';
import type { Transfers } from '../transfers/transfers';
import { Agents, type LivePod } from './agents';
import { cannotTransfer } from './direct-transfer';
import { quiesceReason } from './quiesce.step';
import { StepError, type StepHandler } from './step';

/**
 * Where an attempt's object stands. One key an attempt, not one a generation: a worker that was taken for dead may still be writing, and must not put
 * its own bytes in the place of those that its successor has verified.
 */
export function attemptKey({ workspaceId, generation, attempt }: Pick<Job, 'workspaceId' | 'generation' | 'attempt'>): string {
  return `${workspaceId}/${generation}.${attempt}.tar.br`;
}

/** The pod's files, streamed into the store. An attempt that is run again begins anew, and replaces the record of the one before. */
@Injectable()
export class SnapshotStep implements StepHandler {
  readonly step = 'snapshot';
  private readonly logger = new Logger(SnapshotStep.name);

  constructor(
    private readonly agents: Agents,
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    @Inject(TRANSFERS) private readonly transfers: Transfers,
    private readonly metrics: ProvisionerMetrics,
    private readonly config: ProvisionerConfig,
  ) {}

  begins(job: Job): RecordChanges {
    return { snapshot: { id: newSnapshotOf(job), status: 'writing', key: attemptKey(job) } };
  }

  async run(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    const pod = await this.agents.old(job);
    // Whatever made the earlier attempt fail may have let the pod go on.
    if (job.attempt > 1) await pod.agent.quiesce(quiesceReason(job));
    signal.throwIfAborted();
    try {
      const { record, by } = await this.save(pod, attemptKey(job), signal);
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

  /** Straight from the pod where the store has addresses for it and the pod can use them. */
  private async save({ agent, handle }: LivePod, key: string, signal: AbortSignal): Promise<{ record: SnapshotRecord; by: string }> {
    if (this.store.direct) {
      try {
        return { record: await saveDirectly(this.store.direct, key, agent, snapshotLimits(this.config), signal), by: ' by the pod' };
      } catch (error) {
        if (!cannotTransfer(error)) throw error;
        this.logger.log(`The pod cannot send its snapshot to the store by itself: ${error.detail}`);
        signal.throwIfAborted();
      }
    }
    return { record: await this.transfers.save(handle, key, signal), by: '' };
  }
}

/** The id of the snapshot that the job makes. */
export function newSnapshotOf(job: Pick<Job, 'id' | 'newSnapshotId'>): string {
  if (job.newSnapshotId === null) throw new StepError(`Job ${job.id} has begun no snapshot.`, 'final');
  return job.newSnapshotId;
}
