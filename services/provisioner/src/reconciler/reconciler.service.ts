import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { ProvisionerOverview } from '@reprise/contracts';
import { Clock, runWith } from '@reprise/platform';
import type { PodRow } from '../inventory/pods.repository';
import { ProvisionerMetrics } from '../metrics/provisioner-metrics';
import type { PodDriver } from '../pods/pod-driver';
import { POD_DRIVER, SNAPSHOT_STORE } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import type { SnapshotStore } from '../snapshots/snapshot-store';
import { FenceCheck } from './fence-check.service';
import { type Correction, corrections } from './reconcile.rules';
import { ReconcilerRepository } from './reconciler.repository';

type ReconcilePass = NonNullable<ProvisionerOverview['last_reconcile']>;

const SWEEP_EVERY_MS = 600_000;
const HALF_WRITTEN_FOR_MS = 3_600_000;

/**
 * Compares the pods that there are with those that should be, and corrects the difference; one replica at a time. Sweeps what interrupted
 * snapshots left in the store.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Reconciler.name);
  private timer: NodeJS.Timeout | undefined;
  private passing: Promise<void> | undefined;
  private stopped = false;
  private sweptAt = -Infinity;
  private last: ReconcilePass | null = null;
  private failure: { message: string; since: string } | null = null;

  constructor(
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    private readonly records: ReconcilerRepository,
    private readonly fences: FenceCheck,
    private readonly config: ProvisionerConfig,
    private readonly clock: Clock,
    private readonly metrics: ProvisionerMetrics,
  ) {}

  /** Why passes of this replica fail as a whole, and since when; null where the last one did not. */
  get failing(): { message: string; since: string } | null {
    return this.failure;
  }

  /** The last whole pass of this replica, what it corrected and what it could not; null before its first. */
  get lastPass(): ReconcilePass | null {
    return this.last;
  }

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.passing;
  }

  /** One pass. Resolves with what was corrected; null where another replica is at it. What fails is left to the next pass. */
  pass(): Promise<Correction[] | null> {
    return this.records.alone(async () => {
      await this.fences.run();
      // In this order: a pod is recorded before it is made, so whatever was found and is on no record was never on one.
      const found = await this.driver.list();
      const recorded = await this.records.recorded(found);
      const wanted = corrections(found, recorded, await this.records.busy());
      const rows = new Map(recorded.map((row) => [`${row.workspaceId}/${row.generation}`, row]));
      const done: Correction[] = [];
      const failures: string[] = [];
      for (const correction of wanted) {
        if (this.stopped) break;
        const { workspaceId, generation } = correction.pod;
        const row = rows.get(`${workspaceId}/${generation}`);
        await runWith({ workspaceId, orgId: row?.orgId ?? undefined }, async () => {
          if (!(await this.correct(correction, row, failures))) return;
          this.metrics.corrected(correction, 'done');
          done.push(correction);
        });
      }
      await this.sweep();
      const now = this.clock.now();
      this.metrics.reconciled(now);
      this.last = { at: now.toISOString(), findings: done.map(told), failures };
      return done;
    });
  }

  private async correct(correction: Correction, row: PodRow | undefined, failures: string[]): Promise<boolean> {
    const { pod } = correction;
    try {
      switch (correction.do) {
        case 'remove':
          if (!(await this.records.isStill(pod, row?.status ?? null))) return false;
          this.logger.warn(`Pod ${pod.generation} is removed: ${correction.why}`);
          await this.driver.remove(pod, { graceSeconds: this.config.podGraceSeconds });
          await this.records.recordGone(pod);
          return true;
        case 'report-lost': {
          // Made after the driver listed, perhaps: it is looked at once more.
          const state = await this.driver.inspect(pod);
          if (state !== null && state.phase !== 'dead') return false;
          const told = await this.records.reportLost(pod, row?.orgId ?? null, correction.why);
          if (told) this.logger.error(`Pod ${pod.generation} is lost: ${correction.why}`);
          return told;
        }
        case 'record-gone':
          if ((await this.driver.inspect(pod)) !== null) return false;
          await this.records.recordGone(pod);
          return true;
      }
    } catch (error) {
      this.metrics.corrected(correction, 'failed');
      failures.push(`${told(correction)}; ${(error as Error).message}`);
      this.logger.warn(`Pod ${pod.generation} stays as it is: ${(error as Error).message}`);
      return false;
    }
  }

  private async sweep(): Promise<void> {
    const now = performance.now();
    if (now - this.sweptAt < SWEEP_EVERY_MS) return;
    this.sweptAt = now;
    const swept = await this.store.sweep(HALF_WRITTEN_FOR_MS);
    if (swept > 0) this.logger.log(`${swept} half-written snapshots were swept`);
  }

  private schedule(): void {
    if (this.stopped) return;
    // Spread, so that replicas which started together do not all come at once.
    const delay = this.config.reconcileIntervalSeconds * 1_000 * (0.8 + Math.random() * 0.4);
    this.timer = setTimeout(() => {
      this.passing = this.pass()
        .then(() => void (this.failure = null))
        .catch((error: unknown) => {
          const { message } = error as Error;
          this.failure = { message, since: this.failure?.since ?? this.clock.now().toISOString() };
          this.logger.warn(`Pods were not compared: ${message}`);
        })
        .finally(() => this.schedule());
    }, delay).unref();
  }
}

function told(correction: Correction): string {
  const { workspaceId, generation } = correction.pod;
  return `${correction.do} ${workspaceId}/${generation}${'why' in correction ? `: ${correction.why}` : ''}`;
}
