import { Logger } from '@nestjs/common';
import { isDatabaseOutage, isLostConnection } from '@reprise/platform';
import { backoffMs, pause } from '../connection/backoff';

/** How the host says that a failure is not the message's fault. */
export interface InfrastructureOptions {
  /** Whether the error means that something a handler depends on is away; default: the database is. */
  isInfrastructureError?: (error: unknown) => boolean;
  /** Resolves when what failed like this works again; without it a pause alone must do. */
  probe?: (error: unknown) => Promise<unknown>;
  /** The first pause between two probes, and the longest; default 250 and 2,000. */
  firstPauseMs?: number;
  maxPauseMs?: number;
  /** How long deliveries are held in hand before they are given back and their queues rest; default five minutes. */
  holdMs?: number;
}

/** Whoever takes deliveries, and gives them back when an outage lasts. */
export interface Resting {
  rest: () => unknown;
  resume: () => unknown;
}

/**
 * A delivery that fails like this so many times, each time although the probe had just succeeded, is treated like any other failure: it is the message,
 * and not what it depends on.
 */
export const MAX_OUTAGES_PER_DELIVERY = 20;

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2_000;
/** Far below the half hour after which the broker closes the channel of a consumer that acknowledges nothing. */
const HOLD_MS = 5 * 60_000;

/**
 * Holds deliveries while something that all handlers need is away. Without it ten minutes without a database would carry every message
 * through its retries into the dead letters. Instead a delivery that meets the outage is kept unacknowledged and its handler is run again
 * when the dependency answers; no attempt is counted. The broker sends no more than the prefetch, so the queue simply waits. One probe
 * at a time asks for all, every two seconds. Where it lasts, deliveries go back and the queues rest: once for each outage, since the broker
 * counts how often a message has been given back.
 */
export class OutageGate {
  private readonly logger = new Logger(OutageGate.name);
  private readonly stopping = new AbortController();
  private over: Promise<boolean> | undefined;
  private cause: Error | undefined;

  constructor(
    private readonly options: InfrastructureOptions = {},
    private readonly consumers: () => readonly Resting[] = () => [],
  ) {}

  /** Whether the error is of the kind to wait for. */
  caused(error: unknown): boolean {
    return (this.options.isInfrastructureError ?? isDatabaseOutage)(error);
  }

  /** What is away; undefined while nothing is. For readiness. */
  get outage(): Error | undefined {
    return this.cause;
  }

  /**
   * Resolves when what failed like this works again, or the signal is aborted: with whether it was away at all when it was asked. Never rejects.
   */
  async wait(error: unknown, signal: AbortSignal): Promise<boolean> {
    this.over ??= this.watch(error).finally(() => (this.over = this.cause = undefined));
    return unlessAborted(this.over, signal);
  }

  /** Resolves at once while nothing is away, else as `wait` does. */
  async opened(signal: AbortSignal): Promise<void> {
    if (this.over) await unlessAborted(this.over, signal);
  }

  /** For the account of one delivery. */
  newCount(): OutageCount {
    return new OutageCount(this.options);
  }

  /** Asks no more and lets everybody go. */
  stop(): void {
    this.stopping.abort();
  }

  private async watch(error: unknown): Promise<boolean> {
    const { signal } = this.stopping;
    const message = (error as Error).message;
    const restAt = performance.now() + (this.options.holdMs ?? HOLD_MS);
    let resting = false;
    for (let attempt = 0; !signal.aborted; attempt++) {
      await pause(pauseMs(attempt, this.options), signal);
      if (await this.answers(error)) {
        if (this.cause) this.logger.log('Messages are no longer held');
        if (resting) for (const consumer of this.consumers()) consumer.resume();
        return this.cause !== undefined;
      }
      if (!this.cause) this.logger.warn(`Messages are held until this is over: ${message}`);
      this.cause ??= error as Error;
      if (!resting && performance.now() >= restAt) {
        resting = true;
        for (const consumer of this.consumers()) consumer.rest();
      }
    }
    return true;
  }

  private async answers(error: unknown): Promise<boolean> {
    try {
      await this.options.probe?.(error);
      return true;
    } catch {
      return false;
    }
  }
}

/** How often one delivery has met an outage although nothing was away. */
class OutageCount {
  private count = 0;

  constructor(private readonly options: InfrastructureOptions) {}

  /** @param wasAway whether the probe failed at least once before it succeeded */
  met(error: unknown, wasAway: boolean): void {
    // A connection that was lost in the middle may be the work's own doing: one that ends the server's process, say.
    this.count = wasAway && !isLostConnection(error) ? 0 : this.count + 1;
  }

  get isExhausted(): boolean {
    return this.count >= MAX_OUTAGES_PER_DELIVERY;
  }

  /** Resolves after a pause that grows from one to the next. */
  pause(signal: AbortSignal): Promise<void> {
    return this.count <= 1 ? Promise.resolve() : pause(pauseMs(this.count - 2, this.options), signal);
  }
}

function pauseMs(attempt: number, { firstPauseMs = FIRST_PAUSE_MS, maxPauseMs = MAX_PAUSE_MS }: InfrastructureOptions): number {
  return backoffMs(attempt, firstPauseMs, maxPauseMs);
}

/** Resolves with the work, or with false as soon as the signal is aborted. */
function unlessAborted(work: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (value: boolean): void => {
      signal.removeEventListener('abort', abort);
      resolve(value);
    };
    const abort = (): void => settle(false);
    if (signal.aborted) return resolve(false);
    signal.addEventListener('abort', abort, { once: true });
    void work.then(settle);
  });
}
