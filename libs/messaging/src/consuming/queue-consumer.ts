import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { Logger } from '@nestjs/common';
import type { AmqpConnection } from '../connection/amqp-connection';
import { pause } from '../connection/backoff';
import type { ManagedChannel } from '../connection/managed-channel';
import { assertQueue, type AssertQueueOptions } from '../topology/assert-topology';
import type { QueueSpec } from '../topology/topology';

/** One delivery in hand. Settling it on a channel that has gone does nothing: the broker delivers it again. */
export interface Delivery {
  message: ConsumeMessage;
  queue: QueueSpec;
  ack: () => void;
  requeue: () => void;
  /** Whether it can still be settled; if not, another copy is or will be on its way. */
  live: () => boolean;
  /** Aborted when the consumer drains: no more waiting for anything. */
  draining: AbortSignal;
}

export interface QueueConsumerOptions {
  connection: AmqpConnection;
  queue: QueueSpec;
  /** How many deliveries may be in hand at once. */
  prefetch: number;
  /** How the queue is made; left out for a queue that is another's, which is only consumed, as soon as it is there. */
  topology?: AssertQueueOptions;
  handle: (delivery: Delivery) => Promise<void>;
}

/**
 * Consumes one queue on a channel of its own, for as long as it is not drained: whatever ends the consumption (a cancelled consumer, a deleted
 * queue, a closed channel, a lost connection), the queue is asserted again and consumed again.
 */
export class QueueConsumer {
  private readonly logger = new Logger(QueueConsumer.name);
  private readonly inHand = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private channel: ManagedChannel | undefined;
  private consumerTag: string | undefined;

  constructor(private readonly options: QueueConsumerOptions) {}

  start(): void {
    this.channel ??= this.options.connection.channel({
      name: this.options.queue.name,
      confirm: false,
      setup: (channel) => this.setUp(channel),
      onLost: () => (this.consumerTag = undefined),
    });
  }

  isConsuming(): boolean {
    return this.consumerTag !== undefined && this.channel?.open !== undefined;
  }

  /** Asserts the queue and what belongs to it once more; for when something of it turns out to be gone. */
  async mend(): Promise<void> {
    const channel = this.channel?.open;
    if (channel) await this.assert(channel);
  }

  /**
   * Takes no more, waits until what is in hand is finished and settled, and closes. What is not finished after `limitMs` goes back to the
   * broker, which delivers it elsewhere. Returns how many those are.
   */
  async drain(limitMs: number): Promise<number> {
    if (this.stopping.signal.aborted) return 0;
    this.stopping.abort();
    const tag = this.consumerTag;
    this.consumerTag = undefined;
    if (tag !== undefined) await this.channel?.open?.cancel(tag).catch(() => undefined);

    const waited = new AbortController();
    await Promise.race([Promise.all(this.inHand), pause(limitMs, waited.signal)]);
    waited.abort();
    const left = this.inHand.size;
    // Closing the channel sends the acknowledgements that are still to be sent before it.
    await this.channel?.close();
    return left;
  }

  private async setUp(channel: ConfirmChannel): Promise<void> {
    const { queue, prefetch } = this.options;
    await this.assert(channel);
    if (this.stopping.signal.aborted) return;
    // Per consumer: a global prefetch on a quorum queue closes the connection (measured).
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume(queue.name, (message) => this.take(channel, message), { noAck: queue.kind === 'query' });
    this.consumerTag = consumerTag;
  }

  private async assert(channel: ConfirmChannel): Promise<void> {
    const { queue, topology } = this.options;
    if (topology) await assertQueue(channel, queue, topology);
  }

  private take(channel: ConfirmChannel, message: ConsumeMessage | null): void {
    if (message === null) {
      this.logger.warn(`The broker has cancelled the consumer of ${this.options.queue.name}; it is set up again`);
      channel.close().catch(() => undefined);
      return;
    }
    const delivery = this.delivery(channel, message);
    // A query is not acknowledged, so one that is here can only be answered here.
    if (this.stopping.signal.aborted && this.options.queue.kind === 'work') return delivery.requeue();
    const work = this.options
      .handle(delivery)
      .catch((error: unknown) => {
        this.logger.error(error);
        delivery.requeue();
      })
      .finally(() => this.inHand.delete(work));
    this.inHand.add(work);
  }

  private delivery(channel: ConfirmChannel, message: ConsumeMessage): Delivery {
    const { queue } = this.options;
    const noAck = queue.kind === 'query';
    const settle = (how: () => void): void => {
      if (noAck) return;
      try {
        how();
      } catch (error) {
        this.logger.debug(`A delivery of ${queue.name} is settled too late: ${(error as Error).message}`);
      }
    };
    return {
      message,
      queue,
      ack: () => settle(() => channel.ack(message)),
      requeue: () => settle(() => channel.nack(message, false, true)),
      live: () => this.channel?.open === channel,
      draining: this.stopping.signal,
    };
  }
}
