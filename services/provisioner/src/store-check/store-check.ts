import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { CHECK_TIMEOUT_MS, Clock, type HealthIndicator, within } from '@reprise/platform';
import { SNAPSHOT_STORE } from '../ports/tokens';
import { SnapshotStoreError, type SnapshotStore } from '../snapshots/snapshot-store';

const EVERY_MS = 5_000;
/** A store that answers is asked less often: one behind a network counts, and charges for, each request. */
const EVERY_MS_WHILE_WELL = 30_000;
/** A start must not wait for a store that is away for longer than a probe of its liveness has patience. */
const START_MS = 5_000;

/**
 * Whether the snapshot store can be used, asked at the start and for as long as the process runs. A store that refuses at the start (no such bucket,
 * wrong key, no rights) is a mistake in the configuration: the start fails, and says so in one line. Whatever else stands against it, then or later,
 * makes the process unready until the store is back.
 */
@Injectable()
export class StoreCheck implements HealthIndicator, OnModuleInit, OnModuleDestroy {
  readonly name = 'snapshots';
  private readonly logger = new Logger(StoreCheck.name);
  private problem: string | null = 'the snapshot store has not answered yet';
  private since: Date | null;
  private asking: Promise<Error | null> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    private readonly clock: Clock,
  ) {
    this.since = clock.now();
  }

  async onModuleInit(): Promise<void> {
    const failure = await this.ask(START_MS);
    if (failure instanceof SnapshotStoreError && failure.reason === 'denied') {
      throw new Error(`The snapshot store refuses: ${failure.message}`);
    }
    this.schedule();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  check(): Promise<void> {
    return this.problem === null ? Promise.resolve() : Promise.reject(new Error(this.problem));
  }

  /** Asks the store now. What stands against it and since when; resolves within the time of a health check. */
  async look(): Promise<{ problem: string | null; since: string | null }> {
    await this.ask(CHECK_TIMEOUT_MS);
    return { problem: this.problem, since: this.since?.toISOString() ?? null };
  }

  /** Resolves with what the store answered, or that it did not; a check that hangs is not started a second time. */
  private async ask(patienceMs: number): Promise<Error | null> {
    this.asking ??= this.store
      .check()
      .then(
        () => null,
        (error: Error) => error,
      )
      .finally(() => (this.asking = undefined));
    const failure = await within(patienceMs, this.asking).catch((error: Error) => error);
    this.found(failure?.message ?? null);
    return failure;
  }

  private found(problem: string | null): void {
    if (problem === this.problem) return;
    if (problem === null) this.logger.log('The snapshot store answers');
    else this.logger.warn(`The snapshot store cannot be used: ${problem}`);
    this.since = problem === null ? null : (this.since ?? this.clock.now());
    this.problem = problem;
  }

  private schedule(): void {
    if (this.stopped) return;
    const pause = this.problem === null ? EVERY_MS_WHILE_WELL : EVERY_MS;
    this.timer = setTimeout(() => void this.ask(START_MS).finally(() => this.schedule()), pause).unref();
  }
}
