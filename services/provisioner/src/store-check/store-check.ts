import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { HealthIndicator } from '@reprise/platform';
import { SNAPSHOT_STORE } from '../ports/tokens';
import { SnapshotStoreError, type SnapshotStore } from '../snapshots/snapshot-store';

const EVERY_MS = 5_000;
/** A start must not wait for a store that is away for longer than a probe of its liveness has patience. */
const START_MS = 5_000;

/**
 * Whether the snapshot store can be used at all, asked at the start. A store that refuses (no such bucket, wrong key, no rights) is a mistake in the
 * configuration: the start fails, and says so in one line. One that does not answer may be back in a moment: the process starts, is not ready, and
 * asks again. Once the store has answered it is not asked any more: a job that meets its failure has its own retries, and its own record.
 */
@Injectable()
export class StoreCheck implements HealthIndicator, OnModuleInit, OnModuleDestroy {
  readonly name = 'snapshots';
  private readonly logger = new Logger(StoreCheck.name);
  private problem: string | null = 'the snapshot store has not answered yet';
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(@Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore) {}

  async onModuleInit(): Promise<void> {
    const first = this.attempt();
    const late = new Promise<void>((resolve) => setTimeout(resolve, START_MS).unref());
    await Promise.race([first, late]);
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  check(): Promise<void> {
    return this.problem === null ? Promise.resolve() : Promise.reject(new Error(this.problem));
  }

  /** @throws where the store refuses */
  private async attempt(): Promise<void> {
    try {
      await this.store.check();
      if (this.timer) this.logger.log('The snapshot store answers');
      this.problem = null;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof SnapshotStoreError && error.reason === 'denied') throw new Error(`The snapshot store refuses: ${message}`);
      if (message !== this.problem) this.logger.warn(`The snapshot store cannot be used yet: ${message}`);
      this.problem = message;
      this.again();
    }
  }

  private again(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.attempt().catch((error: Error) => {
        if (error.message !== this.problem) this.logger.error(error.message);
        this.problem = error.message;
        this.again();
      });
    }, EVERY_MS).unref();
  }
}
