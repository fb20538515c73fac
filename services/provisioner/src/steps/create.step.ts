import { Inject, Injectable } from '@nestjs/common';
import type { RoleRuntime } from '@reprise/contracts';
import { PodsRepository } from '../inventory/pods.repository';
import type { Job } from '../jobs/job';
import { JobsRepository } from '../jobs/jobs.repository';
import type { PodChange, RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import type { PodDriver, PodRuntime, PodSpec } from '../pods/pod-driver';
import { PodKeys } from '../pods/pod-keys';
import { POD_DRIVER } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import { newPodOf, specOf, StepError, type StepHandler } from './step';

/**
 * A fresh pod that listens and takes no tasks yet. A half-made one of an earlier attempt is adopted where it lives, and removed and made again
 * where it does not. Older pods that are still on record are removed first: those worth saving have been saved by the steps before.
 */
@Injectable()
export class CreateStep implements StepHandler {
  readonly step = 'create';

  constructor(
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
    private readonly jobs: JobsRepository,
    private readonly pods: PodsRepository,
    private readonly config: ProvisionerConfig,
    private readonly keys: PodKeys,
  ) {}

  begins(job: Job): RecordChanges {
    return { pods: [{ ...newPodOf(job), status: 'creating' }] };
  }

  async run(job: Job, signal: AbortSignal): Promise<StepOutcome> {
    const removed = await this.clearTheWay(job, signal);
    await this.removeDeadOne(job);
    // The last look at the fence stands right before the pod is made; the driver has its own, for what happens after it.
    const highest = await this.jobs.fenceOf(job);
    if (highest !== job.generation) throw new StepError(fenced(job, highest), 'final');
    signal.throwIfAborted();
    const { address } = await this.driver.create(podSpec(job, this.keys));
    return { records: { pods: [...removed, { ...newPodOf(job), status: 'creating', address }] } };
  }

  private async clearTheWay(job: Job, signal: AbortSignal): Promise<PodChange[]> {
    const removed: PodChange[] = [];
    for (const { generation, status } of await this.pods.olderThan(job.workspaceId, job.generation)) {
      // A create has asked each live one for a sign of life before its first step; a replace has saved the only one.
      if (status === 'live' && job.kind !== 'create') throw new StepError(`Pod ${generation} is live and not saved.`, 'final');
      signal.throwIfAborted();
      const pod = { workspaceId: job.workspaceId, generation };
      await this.driver.remove(pod, { graceSeconds: this.config.podGraceSeconds });
      removed.push({ ...pod, status: 'gone' });
    }
    return removed;
  }

  private async removeDeadOne(job: Job): Promise<void> {
    const pod = newPodOf(job);
    if (job.attempt === 1) return;
    const state = await this.driver.inspect(pod);
    if (state?.phase === 'dead') await this.driver.remove(pod, { graceSeconds: 0 });
  }
}

function fenced({ generation }: Job, highest: number | null): string {
  return highest === null
    ? 'This worker has lost the job: no pod is made.'
    : `Generation ${generation} is fenced: ${highest} was accepted. No pod is made.`;
}

/** A repeated create is given the same spec: it comes from the job alone, and the token is derived. */
export function podSpec(job: Job, keys: PodKeys): PodSpec {
  const spec = specOf(job);
  const pod = newPodOf(job);
  return {
    ...pod,
    token: keys.token(pod),
    controlKeys: keys.publicKeys(),
    command: spec.command.length > 0 ? spec.command : null,
    env: spec.env,
    taskTimeoutSeconds: spec.task_timeout_seconds,
    environment: spec.environment,
    provider: { kind: spec.provider_kind, config: spec.provider_config },
    runtime: runtimeOf(spec.runtime),
  };
}

function runtimeOf({ image, cpus, memory_mb, pids, disk_mb, read_only_root }: RoleRuntime = {}): PodRuntime {
  return {
    image: image ?? null,
    cpus: cpus ?? null,
    memoryMb: memory_mb ?? null,
    pids: pids ?? null,
    diskMb: disk_mb ?? null,
    readOnlyRoot: read_only_root ?? false,
  };
}
