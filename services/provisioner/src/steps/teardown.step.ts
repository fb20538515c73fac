import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { PodsRepository } from '../inventory/pods.repository';
import type { PodDriver } from '../pods/pod-driver';
import { POD_DRIVER } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import { SnapshotsRepository } from '../snapshot-records/snapshots.repository';
import { newSnapshotOf } from './snapshot.step';
import { oldPodOf, StepError, type StepHandler } from './step';

/**
 * The older pod is ended and confirmed gone. The plan puts this after verify; that the snapshot is verified is asked of the database once more. Only
 * where the command says that nothing is to be saved is there no such question; then every pod of the workspace goes.
 */
@Injectable()
export class TeardownStep implements StepHandler {
  readonly step = 'teardown';

  constructor(
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
    private readonly snapshots: SnapshotsRepository,
    private readonly pods: PodsRepository,
    private readonly config: ProvisionerConfig,
  ) {}

  begins(job: Job): RecordChanges {
    return { pods: [{ ...oldPodOf(job), status: 'removing' }] };
  }

  async run(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    if (job.withoutSnapshot) return this.discard(job, signal);
    const id = newSnapshotOf(job);
    if (!(await this.snapshots.isVerifiedFor(id, job))) {
      throw new StepError(`Snapshot ${id} is not verified, or this worker has lost the job: the pod stays.`, 'retryable');
    }
    signal.throwIfAborted();
    const pod = oldPodOf(job);
    await this.driver.remove(pod, { graceSeconds: this.config.podGraceSeconds });
    return { records: { pods: [{ ...pod, status: 'gone' }] } };
  }

  private async discard(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    const recorded = await this.pods.olderThan(job.workspaceId, job.generation);
    const pods = recorded.map(({ workspaceId, generation }) => ({ workspaceId, generation }));
    for (const pod of pods) {
      signal.throwIfAborted();
      await this.driver.remove(pod, { graceSeconds: this.config.podGraceSeconds });
    }
    return { detail: 'without a snapshot', records: { pods: pods.map((pod) => ({ ...pod, status: 'gone' })) } };
  }
}
