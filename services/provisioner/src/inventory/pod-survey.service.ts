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

/** What can be done for what an older pod holds. */
type Condition =
  /** Its agent answers: it is saved as in a restart. */
  | 'alive'
  /** It is dead or deaf, and its files are there: they are salvaged. */
  | 'salvageable'
  /** Nobody can open its files any more. */
  | 'beyond';

type Findings = Pick<Job, 'podGeneration' | 'snapshotId' | 'salvage' | 'stateLost'>;

/**
 * What a create must know before its first step: whether an older pod of the workspace holds what no snapshot has and so must be saved first, and which
 * snapshot is the last good one. There is an older pod where one was lost, an operation was given up from outside, or a failed one could not let its pod
 * go on.
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
  async survey(job: Job, signal: AbortSignal): Promise<Findings> {
    const [older, lastGood, unsaved] = await Promise.all([
      this.pods.olderThan(job.workspaceId, job.generation),
      this.snapshots.lastGood(job.workspaceId, job.generation),
      this.pods.unsavedBefore(job.workspaceId, job.generation),
    ]);
    const snapshotId = lastGood?.id ?? job.snapshotId;
    const state = lastGood ? `The state is that of snapshot ${lastGood.id} of ${lastGood.takenAt.toISOString()}.` : 'There is no snapshot.';
    const nothing: Findings = { podGeneration: null, snapshotId, salvage: false, stateLost: null };
    // A pod that was being made has nothing of its own, and one that was being removed has been saved.
    const candidate = older.find(({ status }) => status === 'live' || status === 'lost');
    if (!candidate) return unsaved === null ? nothing : { ...nothing, stateLost: `${goneWith(unsaved)} ${state}` };
    const condition = await this.conditionOf(candidate, signal);
    if (job.fromSnapshot && condition !== 'alive') {
      this.logger.warn(`Pod ${candidate.generation} is removed unsaved, as was asked for`);
      return { ...nothing, stateLost: `What pod ${candidate.generation} left was discarded, as was asked for. ${state}` };
    }
    if (condition === 'beyond') {
      this.logger.error(`Pod ${candidate.generation} cannot be saved: its files are gone`);
      return { ...nothing, stateLost: `${goneWith(candidate.generation)} ${state}` };
    }
    return { ...nothing, podGeneration: candidate.generation, salvage: condition === 'salvageable' };
  }

  private async conditionOf(pod: PodIdentity, signal: AbortSignal): Promise<Condition> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const found = await this.access.find(pod);
      if (found === 'gone') break;
      const health = found === 'starting' ? null : await found.agent.health().catch(() => null);
      // One that an earlier job opened is dead all the same.
      if (health?.salvages) return 'salvageable';
      if (health !== null && health.status !== 'starting') return 'alive';
      if (attempt < ATTEMPTS) await sleep(PAUSE_MS * attempt, undefined, { signal });
    }
    return (await this.access.isSalvageable(pod)) ? 'salvageable' : 'beyond';
  }
}

function goneWith(generation: number): string {
  return `Pod ${generation} was lost, and its files are gone: what it did since its last snapshot cannot be saved.`;
}
