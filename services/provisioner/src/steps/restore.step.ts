import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import type { PodAgent } from '../pods/agent-client.types';
import { SNAPSHOT_STORE, TRANSFERS } from '../ports/tokens';
import { SnapshotsRepository, type StoredSnapshot } from '../snapshot-records/snapshots.repository';
import type { SnapshotStore } from '../snapshots/snapshot-store';
import type { SnapshotRecord } from '../snapshots/snapshots';
import type { Restored, Transfers } from '../transfers/transfers';
import { Agents } from './agents';
import { cannotFetch } from './direct-transfer';
import { StepError, type StepHandler } from './step';

/** The workspace's files, from its last good snapshot into the new pod, which checks the digest before it moves anything in place. */
@Injectable()
export class RestoreStep implements StepHandler {
  readonly step = 'restore';
  private readonly logger = new Logger(RestoreStep.name);

  constructor(
    private readonly agents: Agents,
    private readonly snapshots: SnapshotsRepository,
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    @Inject(TRANSFERS) private readonly transfers: Transfers,
  ) {}

  begins(): RecordChanges {
    return {};
  }

  async run(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    const snapshot = job.snapshotId === null ? null : await this.snapshots.find(job.snapshotId, job.workspaceId);
    if (snapshot?.status !== 'verified') throw new StepError(`There is no good snapshot ${job.snapshotId ?? '(none)'}.`, 'final');
    const { agent, handle } = await this.agents.fresh(job);
    const { record } = snapshot;
    const { entries, bytes } = (await this.fetched(agent, record, signal)) ?? (await this.transfers.restore(handle, record, signal));
    return { detail: `${entries} entries, ${bytes} bytes; state: ${originOf(job, snapshot)}` };
  }

  /** Straight from the store where it has addresses for it and the pod can use them; null where not. */
  private async fetched(
    agent: PodAgent,
    { key, tarSha256: sha256, encoding }: SnapshotRecord,
    signal: AbortSignal,
  ): Promise<Restored | null> {
    if (!this.store.direct) return null;
    const address = await this.store.direct.addressOfDownload(key);
    signal.throwIfAborted();
    try {
      return await agent.download(address, { sha256, encoding }, signal);
    } catch (error) {
      if (!cannotFetch(error, encoding)) throw error;
      this.logger.log(`The pod cannot fetch its snapshot from the store by itself: ${error.detail}`);
      return null;
    }
  }
}

/** For people: what the new pod begins from, and as of when. */
function originOf({ salvage, podGeneration }: Job, { id, takenAt }: StoredSnapshot): string {
  const from = `from snapshot ${id} of ${takenAt.toISOString()}`;
  return salvage ? `salvaged from pod ${podGeneration}, ${from}` : from;
}
