import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { PodIdentity } from '../pods/pod-driver';
import { SnapshotsRepository } from '../snapshot-records/snapshots.repository';
import { PodAccess } from './pod-access';
import { PodsRepository } from './pods.repository';

/** How often, and how far apart, an older pod is asked for a sign of life before it is taken for dead. */
const ATTEMPTS = 6;
const PAUSE_MS = 500;

/**
 * What a create must know before its first step: whether an older pod of the workspace is alive and so must be saved first, and which snapshot
 * is the last good one. There is an older pod where an operation was given up from outside, or a failed one could not let its pod go on.
 */
@Injectable()
export class PodSurvey {
  private readonly logger = new Logger(PodSurvey.name);

  constructor(
    private readonly pods: PodsRepository,
    private readonly snapshots: SnapshotsRepository,
    private readonly access: PodAccess,
  ) {}

  /**
   * `snapshotId` is the newest verified snapshot that is known here: the command's may be older where lifecycle gave an operation up before
   * it heard of its snapshot, and restoring that would lose files.
   */
  async survey(job: Job, signal: AbortSignal): Promise<Pick<Job, 'podGeneration' | 'snapshotId'>> {
    const [older, lastGood] = await Promise.all([
      this.pods.olderThan(job.workspaceId, job.generation),
      this.snapshots.lastGood(job.workspaceId, job.generation),
    ]);
    // A pod that was being made has nothing of its own, and one that was being removed has been saved.
    const candidate = older.find(({ status }) => status === 'live' || status === 'lost');
    const podGeneration = candidate && (await this.worthSaving(candidate, signal)) ? candidate.generation : null;
    if (candidate && podGeneration === null) {
      this.logger.warn(`Pod ${candidate.generation} does not answer: it is removed unsaved`);
    }
    return { podGeneration, snapshotId: lastGood ?? job.snapshotId };
  }

  private async worthSaving(pod: PodIdentity, signal: AbortSignal): Promise<boolean> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const found = await this.access.find(pod);
      if (found === 'gone') return false;
      const health = found === 'starting' ? null : await found.agent.health().catch(() => null);
      if (health !== null) return health.status !== 'starting';
      if (attempt < ATTEMPTS) await sleep(PAUSE_MS * attempt, undefined, { signal });
    }
    return false;
  }
}
