import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Job } from '../jobs/job';
import { JobBell } from '../jobs/job-bell';
import { JobsRepository } from '../jobs/jobs.repository';
import { ProvisionerConfig } from '../provisioner.config';
import { Heartbeat } from './heartbeat';
import { JobRunner } from './job-runner';
import { Lease, ShuttingDown } from './lease';

/** The part of the shutdown time that steps in hand get to end by themselves; the rest is for what they leave behind. */
const PATIENCE = 0.4;

/**
 * Claims jobs and runs them, as many at once as the config says. Looks when the bell is rung, when a run ends, when a pause ends, and each poll
 * interval besides. At the end of the process it lets go of its jobs between two steps; steps that take too long are interrupted.
 */
@Injectable()
export class Worker implements OnApplicationBootstrap, OnModuleDestroy {
  readonly name = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;

  private readonly logger = new Logger(Worker.name);
  private readonly running = new Map<Lease, Promise<void>>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly leaseMs: number;
  private silence: (() => void) | undefined;
  private poll: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private again = false;
  private draining = false;
  /** Whether the last look failed: it is said once, not at every poll. */
  private blind = false;

  constructor(
    private readonly jobs: JobsRepository,
    private readonly runner: JobRunner,
    private readonly heartbeat: Heartbeat,
    private readonly bell: JobBell,
    private readonly config: ProvisionerConfig,
  ) {
    this.leaseMs = config.jobLeaseSeconds * 1_000;
  }

  onApplicationBootstrap(): void {
    this.heartbeat.start();
    this.silence = this.bell.onRing(() => this.look());
    this.poll = setInterval(() => this.look(), this.config.workerPollMs);
    this.look();
  }

  /** In this hook, since the outbox still goes out and the broker still takes what the last moves tell. */
  async onModuleDestroy(): Promise<void> {
    this.draining = true;
    this.silence?.();
    clearInterval(this.poll);
    for (const timer of this.timers) clearTimeout(timer);
    await this.looking;
    const impatience = setTimeout(() => this.interrupt(), this.config.shutdownTimeoutSeconds * 1_000 * PATIENCE);
    await Promise.all(this.running.values());
    clearTimeout(impatience);
    this.heartbeat.stop();
  }

  /** One look at a time; a call during one makes it look once more. */
  private look(): void {
    this.again = true;
    this.looking ??= this.claimAll().finally(() => (this.looking = undefined));
  }

  private async claimAll(): Promise<void> {
    while (this.again && !this.draining) {
      this.again = false;
      const room = this.config.workerConcurrency - this.running.size;
      if (room <= 0) return;
      try {
        const claimedAt = performance.now();
        const claimed = await this.jobs.claim(this.name, room, this.leaseMs, this.config.tenantConcurrency);
        for (const job of claimed) this.start(job, claimedAt);
        if (this.blind) this.logger.log('Jobs can be claimed again');
        this.blind = false;
      } catch (error) {
        if (!this.blind) this.logger.warn(`No jobs can be claimed: ${(error as Error).message}`);
        this.blind = true;
        return;
      }
    }
  }

  private start(job: Job, claimedAt: number): void {
    const lease = Lease.of(job, this.leaseMs, claimedAt);
    this.heartbeat.watch(lease);
    const run = this.runner.run(job, { worker: this.name, lease, draining: () => this.draining }).then((result) => {
      this.heartbeat.forget(lease);
      this.running.delete(lease);
      if (result.ended === 'parked') this.lookIn(result.waitMs);
      else this.look();
    });
    this.running.set(lease, run);
  }

  private lookIn(ms: number): void {
    if (this.draining) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.look();
      // The pause ends by the database's clock, a moment after this one.
    }, ms + 5);
    this.timers.add(timer);
    // A slot is free now.
    this.look();
  }

  private interrupt(): void {
    for (const lease of this.running.keys()) lease.abort(new ShuttingDown());
  }
}
