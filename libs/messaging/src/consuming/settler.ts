import { Logger } from '@nestjs/common';
import type { Clock } from '@reprise/platform';
import { backoffMs, pause } from '../connection/backoff';
import type { MessagingMetrics } from '../metrics/messaging-metrics';
import { type Publisher, type RawMessage, UnroutableError } from '../publishing/publisher';
import { RETRY_DELAYS, type RetryDelay, type TopologyNames } from '../topology/topology';
import type { MessageContext } from './message-context';
import type { DeadReason, Outcome, WaitFor } from './outcome';
import type { Delivery } from './queue-consumer';
import type { Replier } from './replier';
import { deadLettersOf, toDead, toRetry, toWait } from './republish';

export interface SettlerOptions {
  publisher: Publisher;
  replier: Replier;
  metrics: MessagingMetrics;
  names: TopologyNames;
  retryDelays?: readonly RetryDelay[];
  clock: Clock;
  /** Asserts what belongs to the queue again. */
  mend: (queue: string) => Promise<void>;
}

/**
 * How long a message that cannot even be put aside is kept before the broker gets it back: as long again as that has been so, within these. It is not
 * the message's fault ({@link foreign}), so all others fare alike.
 */
const FIRST_REQUEUE_PAUSE_MS = 1_000;
const MAX_REQUEUE_PAUSE_MS = 30_000;
/** One line of the log for each of these: there is one failure for each message in the queue, and again for each pause. */
const LOG_EVERY_MS = 30_000;

/**
 * Gives each delivery of a work queue its end. A message leaves its queue only when it is done, refused, or confirmed to stand in a retry or a
 * dead-letter queue; while that cannot be had, it goes back to the broker.
 */
export class Settler {
  private readonly logger = new Logger(Settler.name);
  private failingSince: number | undefined;
  private loggedAt = -Infinity;
  private unlogged = 0;

  constructor(private readonly options: SettlerOptions) {}

  async settle(delivery: Delivery, context: MessageContext, outcome: Outcome): Promise<void> {
    switch (outcome.end) {
      case 'done':
        this.options.metrics.ended(context, 'done');
        this.options.replier.reply(context, { status: 'done', value: outcome.value });
        return delivery.ack();
      case 'refused':
        this.options.metrics.ended(context, 'refused', outcome.refusal.code);
        this.options.replier.reply(context, { status: 'refused', refusal: outcome.refusal });
        return delivery.ack();
      case 'retry':
        return this.retry(delivery, context, outcome.error, outcome.expected);
      case 'wait':
        return this.wait(delivery, context, outcome.error);
      case 'dead':
        return this.bury(delivery, context, outcome.reason, outcome.error);
    }
  }

  private async retry(delivery: Delivery, context: MessageContext, error: Error, expected: boolean): Promise<void> {
    const { names, retryDelays = RETRY_DELAYS, clock } = this.options;
    const message = toRetry(delivery.message, context, names, retryDelays, clock.now());
    if (!message) return this.bury(delivery, context, 'retries_exhausted', error);
    const what = `Attempt ${context.attempt} of ${context.type} ${context.id} failed and is repeated by ${message.routingKey}`;
    if (expected) this.logger.debug(`${what}: ${error.message}`);
    else this.logger.error({ err: error }, what);
    if (await this.move(delivery, message)) this.options.metrics.ended(context, 'retried', expected ? 'expected' : 'unexpected');
  }

  private async wait(delivery: Delivery, context: MessageContext, error: WaitFor): Promise<void> {
    const { names, retryDelays = RETRY_DELAYS } = this.options;
    const message = toWait(delivery.message, context, names, retryDelays);
    if (!message) return this.retry(delivery, context, error, true);
    this.logger.debug(`${context.type} ${context.id} waits: ${error.message}`);
    if (await this.move(delivery, message)) this.options.metrics.ended(context, 'retried', 'waiting');
  }

  private async bury(delivery: Delivery, context: MessageContext, reason: DeadReason, error: Error): Promise<void> {
    const message = toDead(delivery.message, context, this.options.names, reason, error, this.options.clock.now());
    if (!(await this.move(delivery, message))) return;
    this.options.metrics.ended(context, 'dead', reason);
    this.logger.error(
      `${context.type || 'A message without a type'} ${context.id} is dead (${reason}) in ${deadLettersOf(context)}: ${error.message}`,
    );
    this.options.replier.reply(context, { status: 'failed', reason, message: error.message });
  }

  /** Acknowledges the delivery once its copy is confirmed; otherwise lets the broker deliver it again. */
  private async move(delivery: Delivery, message: RawMessage): Promise<boolean> {
    try {
      await this.publish(delivery, message);
    } catch (error) {
      this.tellFailure(delivery, error as Error);
      await pause(this.requeuePauseMs(), delivery.letGo);
      delivery.requeue();
      return false;
    }
    this.failingSince = undefined;
    delivery.ack();
    return true;
  }

  private requeuePauseMs(): number {
    this.failingSince ??= performance.now();
    return backoffMs(0, Math.max(FIRST_REQUEUE_PAUSE_MS, performance.now() - this.failingSince), MAX_REQUEUE_PAUSE_MS);
  }

  private tellFailure(delivery: Delivery, error: Error): void {
    const now = performance.now();
    if (now - this.loggedAt < LOG_EVERY_MS) {
      this.unlogged++;
      return;
    }
    const others = this.unlogged === 0 ? '' : ` (and ${this.unlogged} more since the last line)`;
    this.logger.error(`A message goes back to ${delivery.queue.name}, since it cannot be put aside: ${error.message}${others}`);
    this.loggedAt = now;
    this.unlogged = 0;
  }

  private async publish(delivery: Delivery, message: RawMessage): Promise<void> {
    try {
      await this.options.publisher.send(message);
    } catch (error) {
      if (!(error instanceof UnroutableError)) throw error;
      // Someone has deleted the retry or the dead-letter queue.
      await this.options.mend(delivery.queue.name);
      await this.options.publisher.send(message);
    }
  }
}
