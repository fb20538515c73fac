import { newId } from '@reprise/contracts';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SNAPSHOT_STORE } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import { ownerOf } from '../snapshots/object-key';
import type { SnapshotStore } from '../snapshots/snapshot-store';
import { RetentionRepository } from './retention.repository';

const EVERY_MS = 600_000;
const HOUR_MS = 3_600_000;
const BATCH = 500;

export interface Kept {
  readonly snapshots: number;
  readonly orphans: number;
  readonly jobs: number;
  readonly pods: number;
}

/**
 * Deletes what nothing needs any more: superseded and unfinished snapshots, objects that no snapshot refers to, ended jobs, rows of pods that are
 * gone. Never a workspace's newest snapshot nor the one in use, never anything of a workspace that a job works at. Any number of replicas may; each deletion can be
 * repeated.
 */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Retention.name);
  private timer: NodeJS.Timeout | undefined;
  private passing: Promise<void> | undefined;
  private stopped = false;

  constructor(
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    private readonly records: RetentionRepository,
    private readonly config: ProvisionerConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.passing;
  }

  /** One pass. Resolves with how many of each were deleted. What fails is left to the next pass. */
  async pass(): Promise<Kept> {
    const snapshots = await this.dropSuperseded();
    const orphans = await this.dropOrphans();
    const { jobs, pods } = await this.records.forgetEnded(this.config.jobRetentionDays, BATCH);
    const done = { snapshots, orphans, jobs, pods };
    if (snapshots + orphans + jobs + pods > 0)
      this.logger.log(`Deleted: ${snapshots} snapshots, ${orphans} orphaned objects, ${jobs} ended jobs, ${pods} records of pods`);
    return done;
  }

  /** The mark first, then the object, then the row: interrupted anywhere, the next pass goes on. */
  private async dropSuperseded(): Promise<number> {
    const { snapshotsKept: kept, snapshotsKeptHours: keptHours, snapshotOrphanHours: unverifiedForHours } = this.config;
    const superseded = await this.records.supersede({ kept, keptHours, unverifiedForHours }, BATCH);
    for (const { id, key } of superseded) {
      if (this.stopped) return 0;
      await this.store.delete(key);
      await this.records.forgetSnapshot(id);
    }
    return superseded.length;
  }

  /** Listed before the records are read: a snapshot is recorded before its object is made, so what has no record then has none for good. */
  private async dropOrphans(): Promise<number> {
    await this.records.forgetAdoptions(this.config.snapshotOrphanHours);
    let dropped = 0;
    let objects: { key: string; workspaceId: string }[] = [];
    const drop = async (): Promise<void> => {
      const unreferenced = await this.records.unreferenced(objects);
      for (const object of objects.filter(({ key }) => unreferenced.includes(key))) {
        const found = this.stopped ? null : await this.store.stat(object.key);
        if (!found || Date.now() - found.modifiedAt.getTime() < this.config.snapshotOrphanHours * HOUR_MS) continue;
        // The mark first here, too: nobody adopts it from then on.
        const mark = await this.records.markOrphan(object, newId('snapshot'));
        if (mark === null) continue;
        await this.store.delete(object.key);
        await this.records.forgetSnapshot(mark);
        dropped += 1;
      }
      objects = [];
    };
    for await (const key of this.store.list()) {
      // Whatever else stands in the store is someone else's.
      const owner = ownerOf(key);
      if (owner) objects.push({ key, workspaceId: owner.workspaceId });
      if (objects.length >= BATCH) await drop();
    }
    await drop();
    return dropped;
  }

  private schedule(): void {
    if (this.stopped) return;
    // Spread, so that replicas which started together do not all come at once.
    this.timer = setTimeout(
      () => {
        this.passing = this.pass()
          .then(() => undefined)
          .catch((error: unknown) => this.logger.warn(`Old records and snapshots stay for now: ${(error as Error).message}`))
          .finally(() => this.schedule());
      },
      EVERY_MS * (0.8 + Math.random() * 0.4),
    ).unref();
  }
}
