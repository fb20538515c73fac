import { QUEUES } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { UnroutableError } from '@reprise/messaging';
import { type Counter, Metrics, OTHER } from '@reprise/platform';
import { COLLECTED, FIGURES, OLDEST, REPLAYED, REPLAYS, WAITING } from './deadletters.metrics';
import { type Figures, FiguresRepository } from './figures.repository';

const FIGURES_EVERY_MS = 15_000;
/** A dead message may say anything of why it died. */
const REASONS: ReadonlySet<string> = new Set([
  'unparseable',
  'invalid',
  'no_handler',
  'retries_exhausted',
  'message_id_reused',
  'delivery_limit',
]);

/** What is told of dead letters and replays. */
@Injectable()
export class DeadlettersMetrics {
  private readonly taken: Counter<'queue' | 'reason'>;
  private readonly sent: Counter<'outcome'>;

  constructor(
    private readonly metrics: Metrics,
    figures: FiguresRepository,
  ) {
    this.taken = metrics.counter(COLLECTED);
    this.sent = metrics.counter(REPLAYED);
    // From 0, so that the first one of its kind is an increase.
    for (const { name: queue } of QUEUES.filter(({ kind }) => kind === 'work')) {
      for (const reason of [...REASONS, OTHER]) this.taken.inc({ queue, reason }, 0);
    }
    metrics.sample(FIGURES, {
      source: 'letters',
      everyMs: FIGURES_EVERY_MS,
      read: () => figures.look(),
      show: (found) => this.show(found),
    });
  }

  collected(queue: string, reason: string): void {
    this.taken.inc({ queue, reason: known(reason) });
  }

  /** What became of the letters of one batch. */
  replayed(results: readonly PromiseSettledResult<unknown>[]): void {
    for (const result of results) this.sent.inc({ outcome: outcomeOf(result) });
  }

  private show({ letters, oldestSeconds, running, paused }: Figures): void {
    for (const { queue, reason, count } of letters) this.metrics.gauge(WAITING).inc({ queue, reason: known(reason) }, count);
    this.metrics.gauge(OLDEST).set(oldestSeconds);
    this.metrics.gauge(REPLAYS).set({ status: 'running' }, running);
    this.metrics.gauge(REPLAYS).set({ status: 'paused' }, paused);
  }
}

function known(reason: string): string {
  return REASONS.has(reason) ? reason : OTHER;
}

function outcomeOf(result: PromiseSettledResult<unknown>): string {
  if (result.status === 'fulfilled') return 'sent';
  return result.reason instanceof UnroutableError ? 'unroutable' : 'unconfirmed';
}
