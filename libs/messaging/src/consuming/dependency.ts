import { Logger } from '@nestjs/common';
import type { HealthIndicator } from '@reprise/platform';
import { RequestFailedError, RequestTimeoutError, RequestUnavailableError } from '../requesting/requester';
import { backoffMs, pause } from '../connection/backoff';
import { WaitFor } from './outcome';

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 2_000;

/**
 * Another service that some handlers have to ask. While it does not answer, nobody else waits for it: the messages that need it are put aside without
 * counting an attempt ({@link WaitFor}), all others go on, and one question at a time finds out when it is back. Readiness tells.
 */
export class Dependency implements HealthIndicator {
  private readonly logger = new Logger(Dependency.name);
  private readonly stopping = new AbortController();
  private away: Error | undefined;

  constructor(readonly name: string) {}

  /**
   * The answer.
   * @param question may be asked again
   * @throws WaitFor while there is none, and whatever else the question fails with
   */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.away) throw new WaitFor(this.name, { cause: this.away });
    try {
      return await question();
    } catch (error) {
      if (!isAway(error)) throw error;
      this.lost(error as Error, question);
      throw new WaitFor(this.name, { cause: error });
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous, this answer is not
  async check(): Promise<void> {
    if (this.away) throw this.away;
  }

  /** Asks no more. */
  stop(): void {
    this.stopping.abort();
  }

  private lost(error: Error, question: () => Promise<unknown>): void {
    if (this.away) return;
    this.away = error;
    this.logger.warn(`${this.name} does not answer; what needs it waits: ${error.message}`);
    void this.watch(question);
  }

  private async watch(question: () => Promise<unknown>): Promise<void> {
    const { signal } = this.stopping;
    for (let attempt = 0; !signal.aborted; attempt++) {
      await pause(backoffMs(attempt, FIRST_PAUSE_MS, MAX_PAUSE_MS), signal);
      const answers = await question().then(
        () => true,
        (error: unknown) => !isAway(error),
      );
      if (!answers) continue;
      this.away = undefined;
      this.logger.log(`${this.name} answers again`);
      return;
    }
  }
}

/** It did not answer in time, has no queue, or says that it cannot just now: its own database is away, say. */
function isAway(error: unknown): boolean {
  if (error instanceof RequestFailedError) return error.reason === 'unavailable';
  return error instanceof RequestTimeoutError || error instanceof RequestUnavailableError;
}
