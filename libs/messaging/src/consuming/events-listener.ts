import { randomBytes } from 'node:crypto';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { Logger } from '@nestjs/common';
import type { AmqpConnection } from '../connection/amqp-connection';
import type { ManagedChannel } from '../connection/managed-channel';
import type { Catalog } from '../topology/catalog';
import type { BindingSpec } from '../topology/topology';
import { decode } from './decode';
import { MessageContext } from './message-context';
import { checkSender, type SenderPolicy } from './sender-check';

export interface ListenOptions {
  /** The beginning of the queue's name; a random end makes it this instance's own. The broker user must be allowed to configure such names. */
  queuePrefix: string;
  bindings: readonly BindingSpec[];
  onEvent: (data: object, context: MessageContext) => void;
  /** Called when listening has begun again after a loss: events of the meantime were missed, so whoever waits must look for himself. */
  onGap?: () => void;
}

/**
 * Lets one instance hear events while they happen, on an exclusive queue that lives no longer than the connection; nothing is acknowledged and
 * nothing is kept. For waking who waits, never for changing state.
 */
export class EventsListener {
  private readonly logger = new Logger(EventsListener.name);
  private readonly channels: ManagedChannel[] = [];

  constructor(
    private readonly connection: AmqpConnection,
    private readonly catalog: Catalog,
    private readonly senderPolicy?: SenderPolicy,
  ) {}

  /** Begins to listen as soon as there is a broker; the returned function ends it. */
  listen(options: ListenOptions): () => Promise<void> {
    let before = false;
    const channel = this.connection.channel({
      name: `${options.queuePrefix} listener`,
      confirm: false,
      setup: async (open) => {
        await this.setUp(open, options);
        if (before) options.onGap?.();
        before = true;
      },
    });
    this.channels.push(channel);
    return () => channel.close();
  }

  /** Whether every queue is being listened to. */
  isListening(): boolean {
    return this.channels.every((channel) => channel.open !== undefined);
  }

  private async setUp(channel: ConfirmChannel, options: ListenOptions): Promise<void> {
    // A new name each time: after a lost connection the broker may hold the old queue for its dead owner for a while.
    const name = `${options.queuePrefix}.${randomBytes(8).toString('hex')}`;
    await channel.assertQueue(name, { exclusive: true, autoDelete: true, durable: false });
    for (const { exchange, routingKey } of options.bindings) await channel.bindQueue(name, exchange, routingKey);
    await channel.consume(name, (message) => this.take(channel, name, message, options.onEvent), { noAck: true });
  }

  private take(channel: ConfirmChannel, queue: string, message: ConsumeMessage | null, onEvent: ListenOptions['onEvent']): void {
    if (message === null) return void channel.close().catch(() => undefined);
    const context = new MessageContext(message, queue, new Set());
    const spec = this.catalog.get(context.type);
    try {
      if (!spec) return;
      checkSender(context, spec, this.senderPolicy);
      onEvent(decode(message.content, spec), context);
    } catch (error) {
      this.logger.warn(`The event ${context.type} ${context.id} cannot be heard: ${(error as Error).message}`);
    }
  }
}
