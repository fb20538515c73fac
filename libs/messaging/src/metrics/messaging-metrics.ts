import { type Counter, type Gauge, type Histogram, LabelLimit, type Metrics } from '@reprise/platform';
import type { MessageContext } from '../consuming/message-context';
import { UnroutableError } from '../publishing/publisher';
import { type Reply, RequestFailedError, RequestTimeoutError } from '../requesting/requester';
import type { Catalog } from '../topology/catalog';
import { AGE, HANDLED, HANDLING_DURATION, IN_PROGRESS, PUBLISHED, REQUEST_DURATION } from './messaging.metrics';

/** How a delivery has ended, besides `requeued`: a delivery of which nobody says how it ended goes back to the broker. */
export type HandlingOutcome = 'done' | 'refused' | 'retried' | 'dead' | 'failed';

interface End {
  outcome: HandlingOutcome | 'requeued';
  code: string;
}

const PUBLISH_OUTCOMES = ['confirmed', 'unroutable', 'unconfirmed'] as const;
const REQUEUED: End = { outcome: 'requeued', code: '' };

/** Counts and times what is handled, published and asked. Never throws, and keeps nobody waiting. */
export class MessagingMetrics {
  private readonly handled: Counter<'queue' | 'type' | 'outcome' | 'code'>;
  private readonly durations: Histogram<'queue' | 'type'>;
  private readonly inProgress: Gauge<'queue'>;
  private readonly ages: Histogram<'queue'>;
  private readonly publishes: Counter<'exchange' | 'outcome'>;
  private readonly requests: Histogram<'type' | 'outcome'>;
  private readonly ends = new WeakMap<MessageContext, End>();
  /** A code is a handler's own word: of a closed list, we trust, but not without looking. */
  private readonly codes = new LabelLimit();

  constructor(
    metrics: Metrics,
    private readonly catalog: Catalog,
    exchanges: readonly string[] = [],
  ) {
    this.handled = metrics.counter(HANDLED);
    this.durations = metrics.histogram(HANDLING_DURATION);
    this.inProgress = metrics.gauge(IN_PROGRESS);
    this.ages = metrics.histogram(AGE);
    this.publishes = metrics.counter(PUBLISHED);
    this.requests = metrics.histogram(REQUEST_DURATION);
    // From 0, so that the first one of its kind is an increase.
    for (const exchange of exchanges) for (const outcome of PUBLISH_OUTCOMES) this.publishes.inc({ exchange, outcome }, 0);
  }

  /** Runs the handling of one delivery, up to and with its settlement. */
  async observe(context: MessageContext, handle: () => Promise<void>): Promise<void> {
    const { queue } = context;
    const type = this.typeOf(context.type);
    const began = performance.now();
    this.inProgress.inc({ queue });
    this.waited(context);
    try {
      await handle();
    } finally {
      this.inProgress.dec({ queue });
      this.durations.observe({ queue, type }, secondsSince(began));
      this.handled.inc({ queue, type, ...(this.ends.get(context) ?? REQUEUED) });
    }
  }

  /** How the delivery that is being handled has ended. */
  ended(context: MessageContext, outcome: HandlingOutcome, code = ''): void {
    this.ends.set(context, { outcome, code: this.codes.of(code) });
  }

  published(exchange: string, sending: Promise<unknown>): void {
    sending.then(
      () => this.publishes.inc({ exchange, outcome: 'confirmed' }),
      (error: unknown) => this.publishes.inc({ exchange, outcome: error instanceof UnroutableError ? 'unroutable' : 'unconfirmed' }),
    );
  }

  requested(type: string, answer: Promise<Reply>): void {
    const began = performance.now();
    const tell = (outcome: string): void => this.requests.observe({ type, outcome }, secondsSince(began));
    answer.then(
      ({ status }) => tell(status),
      (error: unknown) => tell(failureOf(error)),
    );
  }

  /** Only at the first attempt: afterwards it would be the retries' delay. */
  private waited({ queue, attempt, redelivered, time }: MessageContext): void {
    if (attempt > 1 || redelivered || time.getTime() === 0) return;
    // Two clocks are compared; they may differ by more than the wait.
    this.ages.observe({ queue }, Math.max(0, Date.now() - time.getTime()) / 1_000);
  }

  /** Anyone may put a type of his own on a message. */
  private typeOf(type: string): string {
    return this.catalog.has(type) ? type : 'unknown';
  }
}

function failureOf(error: unknown): string {
  if (error instanceof RequestTimeoutError) return 'timeout';
  return error instanceof RequestFailedError ? 'failed' : 'unavailable';
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1_000;
}
