import { Logger } from '@nestjs/common';
import { within } from '../health/indicator';

/** Figures that are not counted in this process but asked for when it is scraped: of the database, of the broker. */
export interface SampleOptions<T> {
  /** Names it in `metrics_source_up`. */
  readonly source: string;
  readonly read: () => Promise<T>;
  /** Sets the gauges; they are empty when it is called. */
  readonly show: (value: T) => void;
  /** How long an answer holds, in milliseconds: more frequent scrapes are given the same one. Default 5,000. */
  readonly everyMs?: number;
  /** How long a scrape waits for the answer; default 2,000. */
  readonly limitMs?: number;
}

const EVERY_MS = 5_000;
const LIMIT_MS = 2_000;

/**
 * Asks at most once in `everyMs`, never twice at once, and never lets a scrape wait for longer than `limitMs`. Where no answer can be had the
 * gauges are left out of the scrape: an old number would look like a true one.
 */
export class Sample<T> {
  private readonly logger = new Logger('Metrics');
  private running: Promise<T> | undefined;
  private askAgainAt = -Infinity;
  private failing = false;

  constructor(
    private readonly options: SampleOptions<T>,
    private readonly clear: () => void,
    private readonly tellUp: (up: boolean) => void,
  ) {
    clear();
  }

  /** Never rejects. */
  async refresh(): Promise<void> {
    if (performance.now() < this.askAgainAt) return;
    const { source, show, everyMs = EVERY_MS, limitMs = LIMIT_MS } = this.options;
    try {
      const value = await within(limitMs, this.once());
      this.clear();
      show(value);
      this.say(false, `The metrics of ${source} can be read again`);
    } catch (error) {
      this.clear();
      this.say(true, `The metrics of ${source} cannot be read: ${(error as Error).message}`);
    }
    this.tellUp(!this.failing);
    this.askAgainAt = performance.now() + everyMs;
  }

  /** One that hangs is not asked again beside itself: scrapes would use up the very pool that they ask about. */
  private once(): Promise<T> {
    // In an async function, so that what throws at once is a rejection like any other.
    this.running ??= (async () => this.options.read())().finally(() => (this.running = undefined));
    return this.running;
  }

  /** Once for each change, not for each scrape. */
  private say(failing: boolean, text: string): void {
    if (failing !== this.failing) this.logger[failing ? 'warn' : 'log'](text);
    this.failing = failing;
  }
}
