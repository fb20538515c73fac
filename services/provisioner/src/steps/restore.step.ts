import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { SNAPSHOT_STORE } from '../ports/tokens';
import { SnapshotsRepository } from '../snapshot-records/snapshots.repository';
import type { SnapshotStore } from '../snapshots/snapshot-store';
import { openSnapshot } from '../snapshots/snapshots';
import { Agents } from './agents';
import { StepError, type StepHandler } from './step';

/** The workspace's files, from its last good snapshot into the new pod, which checks the digest before it moves anything in place. */
@Injectable()
export class RestoreStep implements StepHandler {
  readonly step = 'restore';

  constructor(
    private readonly agents: Agents,
    private readonly snapshots: SnapshotsRepository,
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
  ) {}

  begins(): RecordChanges {
    return {};
  }

  async run(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    const snapshot = job.snapshotId === null ? null : await this.snapshots.find(job.snapshotId, job.workspaceId);
    if (snapshot?.status !== 'verified') throw new StepError(`There is no good snapshot ${job.snapshotId ?? '(none)'}.`, 'final');
    const agent = await this.agents.fresh(job);
    const tar = await openSnapshot(this.store, snapshot.record);
    const giveUp = (): void => void tar.destroy(new Error('The restore was given up.'));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      signal.throwIfAborted();
      const { entries, bytes } = await agent.restore(tar, { sha256: snapshot.record.tarSha256 });
      return { detail: `${entries} entries, ${bytes} bytes` };
    } finally {
      signal.removeEventListener('abort', giveUp);
      tar.destroy();
    }
  }
}
