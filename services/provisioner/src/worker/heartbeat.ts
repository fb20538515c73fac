import { Injectable, Logger } from '@nestjs/common';
import { JobsRepository } from '../jobs/jobs.repository';
import { ProvisionerConfig } from '../provisioner.config';
import { type Lease, LeaseLost } from './lease';

/** Prolongs all leases of this process, in one statement, three times in the length of one; gives up those that it cannot prolong. */
@Injectable()
export class Heartbeat {
  private readonly logger = new Logger(Heartbeat.name);
  private readonly leases = new Set<Lease>();
  private readonly leaseMs: number;
  private timer: NodeJS.Timeout | undefined;
  private beating = false;

  constructor(
    private readonly jobs: JobsRepository,
    config: ProvisionerConfig,
  ) {
    this.leaseMs = config.jobLeaseSeconds * 1_000;
  }

  start(): void {
    this.timer ??= setInterval(() => this.tick(), this.leaseMs / 3).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  watch(lease: Lease): void {
    this.leases.add(lease);
  }

  forget(lease: Lease): void {
    this.leases.delete(lease);
  }

  private tick(): void {
    // A tenth of the lease before its end, as far as this process knows: clocks run at slightly different speeds.
    const soon = performance.now() + this.leaseMs / 10;
    for (const lease of this.leases) lease.checkExpiry(soon);
    if (this.leases.size === 0 || this.beating) return;
    this.beating = true;
    this.beat()
      .catch((error: unknown) => this.logger.warn(`Leases were not prolonged: ${(error as Error).message}`))
      .finally(() => (this.beating = false));
  }

  private async beat(): Promise<void> {
    const asked = [...this.leases];
    const askedAt = performance.now();
    const held = await this.jobs.heartbeat(asked, this.leaseMs);
    for (const lease of asked) {
      if (held.has(lease.id)) lease.prolonged(askedAt);
      // One that was let go in the meantime is nobody's loss.
      else if (this.leases.has(lease)) lease.abort(new LeaseLost('another worker has the job'));
    }
  }
}
