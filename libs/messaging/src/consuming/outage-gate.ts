import { Logger } from '@nestjs/common';
import { isTransientDatabaseError } from '@reprise/platform';
import { backoffMs, pause } from '../connection/backoff';

/** How the host says that a failure is not the message's fault. */
export interface InfrastructureOptions {
  /** Whether the error means that something a handler depends on is away; default: the database is. */
  isInfrastructureError?: (error: unknown) => boolean;
  /** Resolves when it answers again, such as `SELECT 1`; without it a pause alone must do. */
  probe?: () => Promise<unknown>;
}

/** A message that still fails like this after so many waits, each of which ended with a good probe, is treated like any other failure. */
export const MAX_OUTAGES_PER_DELIVERY = 20;

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

/**
 * Holds deliveries while something that all handlers need is away. Without it ten minutes without a database would carry every message
 * through its retries into the dead letters. Instead a delivery that meets the outage is kept unacknowledged and its handler is run again
 * when the dependency answers; no attempt is counted. The broker sends no more than the prefetch, so the queue simply waits. One probe
 * at a time asks for all. (Held for over 30 minutes, the broker takes the deliveries back and delivers them again, which is harmless up to
 * the queue's delivery limit, some ten hours.)
 */
export class OutageGate {
  private readonly logger = new Logger(OutageGate.name);
  private over: Promise<void> | undefined;

  constructor(private readonly options: InfrastructureOptions = {}) {}

  /** Whether the error is of the kind to wait for. */
  caused(error: unknown): boolean {
    return (this.options.isInfrastructureError ?? isTransientDatabaseError)(error);
  }

  /** Whether deliveries are being held. */
  get closed(): boolean {
    return this.over !== undefined;
  }

  /** Resolves when the outage is over, or the signal is aborted. Never rejects. */
  wait(error: unknown, signal: AbortSignal): Promise<void> {
    this.over ??= this.watch(error, signal).finally(() => (this.over = undefined));
    return this.over;
  }

  private async watch(error: unknown, signal: AbortSignal): Promise<void> {
    this.logger.warn(`Messages are held: ${(error as Error).message}`);
    for (let attempt = 0; !signal.aborted; attempt++) {
      await pause(backoffMs(attempt, FIRST_PAUSE_MS, MAX_PAUSE_MS), signal);
      if (await this.answers()) break;
    }
    this.logger.log('Messages are no longer held');
  }

  private async answers(): Promise<boolean> {
    try {
      await this.options.probe?.();
      return true;
    } catch {
      return false;
    }
  }
}
