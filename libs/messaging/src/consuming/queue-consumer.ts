import { setMaxListeners } from 'node:events';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { Logger } from '@nestjs/common';
import type { AmqpConnection } from '../connection/amqp-connection';
import { pause } from '../connection/backoff';
import type { ManagedChannel } from '../connection/managed-channel';
import { assertQueue, type AssertQueueOptions, isStillTransient } from '../topology/assert-topology';
import type { QueueSpec } from '../topology/topology';

/** One delivery in hand. Settling it on a channel that has gone does nothing: the broker delivers it again. */
export interface Delivery {
  message: ConsumeMessage;
  queue: QueueSpec;
  ack: () => void;
  requeue: () => void;
  /** Whether it can still be settled; if not, another copy is or will be on its way. */
  live: () => boolean;
  /** Aborted when the consumer drains or rests: no more waiting for anything, the delivery goes back. */
  letGo: AbortSignal;
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

/** Belongs to its channel: with that it has gone, whether or not anybody was told. */
interface Consumer {
  channel: ConfirmChannel;
  /** Undefined until the broker has answered. */
  tag: string | undefined;
}

/**
 * Consumes one queue on a channel of its own, for as long as it is not drained: whatever ends the consumption (a cancelled consumer, a deleted
 * queue, a closed channel, a lost connection), the queue is asserted again and consumed again.
 */
export class QueueConsumer {
  private readonly logger = new Logger(QueueConsumer.name);
  private readonly inHand = new Set<Promise<void>>();
  private hold = newHold();
  private draining = false;
  private resting = false;
  private stillTransient = false;
  private channel: ManagedChannel | undefined;
  private consumer: Consumer | undefined;

  constructor(private readonly options: QueueConsumerOptions) {}

  get kind(): QueueSpec['kind'] {
    return this.options.queue.kind;
  }

  start(): void {
    this.channel ??= this.options.connection.channel({
      name: this.options.queue.name,
      confirm: false,
      setup: (channel) => this.setUp(channel),
    });
  }

  /** Whether the queue is consumed, or is not on purpose. */
  isConsuming(): boolean {
    const { consumer } = this;
    return this.resting || (consumer?.tag !== undefined && consumer.channel === this.channel?.open);
  }

  /** Takes no more until it resumes, and gives back what waits: the broker takes a delivery that is held for half an hour for a dead consumer's. */
  async rest(): Promise<void> {
    if (this.resting || this.draining) return;
    this.resting = true;
    this.logger.warn(`${this.options.queue.name} is not consumed for the time being`);
    await this.letGo();
  }

  resume(): void {
    if (!this.resting || this.draining) return;
    this.resting = false;
    this.hold = newHold();
    this.logger.log(`${this.options.queue.name} is consumed again`);
    // A channel that is being set up may have looked before; consuming twice on it does nothing.
    this.channel?.onceOpen((channel) => void this.consume(channel).catch(() => this.channel?.reopen('its consumer could not be made')));
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
    if (this.draining) return 0;
    this.draining = true;
    await this.letGo();

    const waited = new AbortController();
    await Promise.race([Promise.all(this.inHand), pause(limitMs, waited.signal)]);
    waited.abort();
    const left = this.inHand.size;
    // Closing the channel sends the acknowledgements that are still to be sent before it.
    await this.channel?.close();
    return left;
  }

  private async letGo(): Promise<void> {
    this.hold.abort();
    const { consumer } = this;
    this.consumer = undefined;
    if (consumer?.tag !== undefined) await consumer.channel.cancel(consumer.tag).catch(() => undefined);
  }

  private async setUp(channel: ConfirmChannel): Promise<void> {
    await this.assert(channel);
    await this.consume(channel);
  }

  private async consume(channel: ConfirmChannel): Promise<void> {
    if (this.draining || this.resting || this.consumer?.channel === channel) return;
    const { queue, prefetch } = this.options;
    const consumer: Consumer = { channel, tag: undefined };
    this.consumer = consumer;
    try {
      // Per consumer: a global prefetch on a quorum queue closes the connection (measured).
      await channel.prefetch(prefetch);
      const { consumerTag } = await channel.consume(queue.name, (message) => this.take(channel, message), {
        noAck: queue.kind === 'query',
      });
      consumer.tag = consumerTag;
    } catch (error) {
      if (this.consumer === consumer) this.consumer = undefined;
      throw error;
    }
    // It was to rest meanwhile.
    if (this.consumer !== consumer) await channel.cancel(consumer.tag);
  }

  private async assert(channel: ConfirmChannel): Promise<void> {
    const { queue, topology } = this.options;
    if (!topology) return;
    // Once only: after a restart of the broker it is made durable.
    const transientQueries = this.stillTransient;
    this.stillTransient = false;
    try {
      await assertQueue(channel, queue, { ...topology, transientQueries });
    } catch (error) {
      // The broker has closed this channel; the next one takes the queue as it is.
      this.stillTransient = isStillTransient(error);
      throw error;
    }
  }

  private take(channel: ConfirmChannel, message: ConsumeMessage | null): void {
    if (message === null) {
      this.logger.warn(`The broker has cancelled the consumer of ${this.options.queue.name}; it is set up again`);
      channel.close().catch(() => undefined);
      return;
    }
    const delivery = this.delivery(channel, message);
    // A query is not acknowledged, so one that is here can only be answered here.
    if (this.hold.signal.aborted && this.options.queue.kind === 'work') return delivery.requeue();
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
      letGo: this.hold.signal,
    };
  }
}

/** As many may wait on it as there are deliveries in hand. */
function newHold(): AbortController {
  const hold = new AbortController();
  setMaxListeners(0, hold.signal);
  return hold;
}
