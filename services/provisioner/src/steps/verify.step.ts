import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { SNAPSHOT_STORE, TRANSFERS } from '../ports/tokens';
import { SnapshotsRepository } from '../snapshot-records/snapshots.repository';
import { type SnapshotStore, SnapshotStoreError } from '../snapshots/snapshot-store';
import type { Transfers } from '../transfers/transfers';
import { attemptKey, newSnapshotOf } from './snapshot.step';
import { StepError, type StepHandler } from './step';

/** What stands in the store is read back from beginning to end. Only then may the pod be torn down. */
@Injectable()
export class VerifyStep implements StepHandler {
  readonly step = 'verify';
  private readonly logger = new Logger(VerifyStep.name);

  constructor(
    private readonly snapshots: SnapshotsRepository,
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    @Inject(TRANSFERS) private readonly transfers: Transfers,
  ) {}

  begins(): RecordChanges {
    return {};
  }

  async run(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    const id = newSnapshotOf(job);
    const snapshot = await this.snapshots.find(id, job.workspaceId);
    if (snapshot === null || snapshot.status === 'writing') throw new StepError(`Snapshot ${id} is not complete.`, 'final');
    try {
      await this.transfers.verify(snapshot.record, signal);
    } catch (error) {
      if (isRefused(error) && !signal.aborted) await this.drop(snapshot.record.key);
      throw error;
    }
    await this.dropEarlierAttempts(job, snapshot.record.key);
    return { records: { snapshot: { id, status: 'verified' } } };
  }

  /** What nothing can be restored from takes no more room. */
  private async drop(key: string): Promise<void> {
    await this.store.delete(key).catch((error: unknown) => {
      this.logger.warn(`A snapshot that was refused stays in the store: ${(error as Error).message}`);
    });
  }

  /** Objects of attempts that did not come to their end. None of them has a record any more. */
  private async dropEarlierAttempts(job: Job, verified: string): Promise<void> {
    // Most snapshots are taken at the first attempt, and have nothing beside them.
    if (verified === attemptKey({ ...job, attempt: 1 })) return;
    try {
      for await (const key of this.store.list(`${job.workspaceId}/${newSnapshotOf(job)}.`))
        if (key !== verified) await this.store.delete(key);
    } catch (error) {
      this.logger.warn(`Earlier attempts at the snapshot stay in the store: ${(error as Error).message}`);
    }
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof SnapshotStoreError && (error.reason === 'corrupt' || error.reason === 'too_large');
}
