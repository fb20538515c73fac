import { Logger } from '@nestjs/common';
import { backoffMs, pause } from '../connection/backoff';
import type { OutboxBatch, OutboxRow } from './outbox';
import type { FailedRow, OutboxRepository } from './outbox.repository';
import { type Publisher, UnroutableError } from './publisher';

export interface OutboxRelayOptions {
  publisher: Publisher;
  repository: OutboxRepository;
  /** Pause between two sweeps; default 1000, spread by ±20 %. */
  sweepMs?: number;
  /** Rows claimed by one transaction of the sweep; default 200. */
  batchSize?: number;
}

/** How many rows may be on their way to the broker by the short road at once; more are left to the sweep. */
const MAX_HANDED_OVER = 5_000;
/** How long a closing service waits for confirmations. What is unconfirmed by then is published once more by someone else. */
const STOP_LIMIT_MS = 5_000;

/**
 * Carries the outbox to the broker, by two roads:
 * - the short one: rows whose transaction has just committed in this process are published from memory, all in flight at once, and deleted
 *   by as few statements as keep up;
 * - the sweep: each second, rows that are still there when their hand-over time is over (their process died, the broker was away, a message
 *   was returned) are claimed with `FOR UPDATE SKIP LOCKED` and published in order. Any number of replicas may sweep.
 *
 * A row is deleted only when the broker has confirmed its message as routed. A crash between the two publishes it again: at least once, never
 * less; the inbox of the consumer makes it once.
 */
export class OutboxRelay {
  private readonly logger = new Logger(OutboxRelay.name);
  private readonly inFlight = new Set<string>();
  private published: string[] = [];
  private failed: FailedRow[] = [];
  private settling: Promise<void> | undefined;
  private sweeping: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  /** While rows wait, newer ones do not pass them by the short road. */
  private behind = false;

  constructor(private readonly options: OutboxRelayOptions) {}

  /** Begins to sweep. */
  start(): void {
    if (this.running) return;
    this.running = true;
    this.schedule();
  }

  /**
   * To be called after a commit that wrote to the outbox by a statement of its own ({@link OutboxBatch}); `Outbox.append` does it by itself.
   * Returns at once and never throws.
   */
  wake({ rows }: Pick<OutboxBatch, 'rows'>): void {
    if (this.behind || !this.options.publisher.isReady() || this.inFlight.size + rows.length > MAX_HANDED_OVER) {
      this.behind = true;
      return;
    }
    for (const row of rows) {
      this.inFlight.add(row.id);
      void this.publish(row).then((failure) => {
        if (failure) this.failed.push(failure);
        else this.published.push(row.id);
        this.settle();
      });
    }
  }

  /** Publishes what is due now, all of it; resolves when nothing due is left or something stands in the way. Never rejects. */
  sweep(): Promise<void> {
    this.sweeping ??= this.sweepAll().finally(() => (this.sweeping = undefined));
    return this.sweeping;
  }

  /** Ends the sweeps and waits a while for what is on its way. Rows that stay are taken by another replica, or by the next start. */
  async stop(): Promise<void> {
    this.running = false;
    clearTimeout(this.timer);
    await this.sweeping;
    for (const end = Date.now() + STOP_LIMIT_MS; this.inFlight.size > 0 && Date.now() < end;) await pause(10);
  }

  private schedule(): void {
    if (!this.running) return;
    this.timer = setTimeout(() => void this.sweep().then(() => this.schedule()), backoffMs(0, this.options.sweepMs ?? 1_000, 60_000));
    this.timer.unref();
  }

  private async sweepAll(): Promise<void> {
    const limit = this.options.batchSize ?? 200;
    try {
      while (this.options.publisher.isReady()) {
        const { claimed, failed } = await this.sweepOnce(limit);
        if (claimed < limit) this.behind = false;
        // A batch that wholly fails says that the next would too.
        if (claimed < limit || failed === claimed) return;
      }
    } catch (error) {
      this.logger.warn(`The outbox cannot be swept: ${(error as Error).message}`);
    }
  }

  private sweepOnce(limit: number): Promise<{ claimed: number; failed: number }> {
    const { repository } = this.options;
    return repository.inTransaction(async (manager) => {
      const rows = await repository.claim(manager, limit, [...this.inFlight]);
      if (rows.length === 0) return { claimed: 0, failed: 0 };
      const failures = (await Promise.all(rows.map((row) => this.publish(row)))).filter((failure) => failure !== undefined);
      const failedIds = new Set(failures.map(({ id }) => id));
      const done = rows.filter(({ id }) => !failedIds.has(id)).map(({ id }) => id);
      if (done.length > 0) await repository.remove(done, manager);
      if (failures.length > 0) await repository.postpone(failures, manager);
      return { claimed: rows.length, failed: failures.length };
    });
  }

  private async publish({ id, message }: OutboxRow): Promise<FailedRow | undefined> {
    try {
      await this.options.publisher.send(message);
      return undefined;
    } catch (error) {
      const unroutable = error instanceof UnroutableError;
      const text = (error as Error).message;
      if (unroutable) this.logger.warn(`Message ${message.properties.messageId} stays in the outbox: ${text}`);
      return { id, error: text, unroutable };
    }
  }

  /** Writes down what became of handed-over rows; while one statement runs, the next collects. */
  private settle(): void {
    this.settling ??= this.settleAll();
  }

  private async settleAll(): Promise<void> {
    // Confirmations arrive in bursts: let the whole burst go into one statement.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.published.length + this.failed.length > 0) {
      const { published, failed } = this;
      this.published = [];
      this.failed = [];
      try {
        if (published.length > 0) await this.options.repository.remove(published);
        if (failed.length > 0) await this.options.repository.postpone(failed);
      } catch (error) {
        // The rows are still there and the sweep will publish them once more, which the inboxes take care of.
        this.logger.warn(`The outbox cannot be written: ${(error as Error).message}`);
      }
      for (const id of published) this.inFlight.delete(id);
      for (const { id } of failed) this.inFlight.delete(id);
      // One message that has no queue holds nothing up; a broker that confirms nothing does.
      if (failed.some(({ unroutable }) => !unroutable)) this.behind = true;
    }
    // Here and not in a `finally`: what is published in between must find nobody at work, or it would wait for the next.
    this.settling = undefined;
  }
}
