import type { ConfirmChannel, Message, Options } from 'amqplib';
import type { AmqpConnection } from '../connection/amqp-connection';
import type { ManagedChannel } from '../connection/managed-channel';
import type { MessagingMetrics } from '../metrics/messaging-metrics';
import { inPublishSpan } from '../tracing/publish-span';
import type { Envelope, OutgoingMessage } from './envelope';

/** The broker has no queue for the message. Publishing it again helps only when the topology has been mended. */
export class UnroutableError extends Error {
  constructor(exchange: string, routingKey: string) {
    super(`No queue takes ${routingKey} from the exchange ${exchange || '(default)'}`);
  }
}

/** The broker did not say that it has the message; it may have it all the same, so the same id must be sent again, never another. */
export class UnconfirmedError extends Error {}

export interface PublisherOptions {
  connection: AmqpConnection;
  envelope: Envelope;
  /** How long to wait for a channel, and again for the confirmation; default 10,000. */
  confirmTimeoutMs?: number;
  metrics?: MessagingMetrics;
}

/** What goes to the broker as it is: bytes, and the properties that go with them. */
export interface RawMessage {
  exchange: string;
  routingKey: string;
  body: Buffer | string;
  properties: Options.Publish;
}

/**
 * The one publisher of a process. Everything is confirmed, and `mandatory` unless it says otherwise; many messages are in flight at once, and messages reach the broker
 * in the order of the calls. `user-id` is always the connection's own user: the broker checks it, so a consumer can rely on it.
 */
export class Publisher {
  private readonly channel: ManagedChannel;
  private readonly timeoutMs: number;
  /** How many messages of each address and id have come back: the broker returns a message just before it confirms it. */
  private readonly returned = new Map<string, number>();

  constructor(private readonly options: PublisherOptions) {
    this.timeoutMs = options.confirmTimeoutMs ?? 10_000;
    this.channel = options.connection.channel({
      name: 'publisher',
      setup: (channel) => {
        channel.on('return', (message: Message) => this.onReturn(message));
        return Promise.resolve();
      },
      onLost: () => this.returned.clear(),
    });
  }

  /** Whether a message given now would be sent at once. */
  isReady(): boolean {
    return this.channel.open !== undefined && this.options.connection.isReady();
  }

  /**
   * Resolves when the broker has the message safely in a queue. For what must survive this process, use the outbox.
   * @throws UnroutableError, UnconfirmedError, UnknownMessageTypeError
   */
  async publish(message: OutgoingMessage): Promise<void> {
    await this.send(this.options.envelope.prepare(message));
  }

  /**
   * The same for a message that is ready.
   * @throws UnroutableError, UnconfirmedError
   */
  send(message: RawMessage): Promise<void> {
    const sending = inPublishSpan(message, (traced) => this.sendNow(traced));
    this.options.metrics?.published(message.exchange, sending);
    return sending;
  }

  private sendNow(message: RawMessage): Promise<void> {
    // A blocked broker reads nothing: what is written now would only fill this process's memory.
    if (this.options.connection.state === 'blocked') return Promise.reject(new UnconfirmedError('The broker has blocked the connection'));
    const { open } = this.channel;
    return open ? this.sendOn(open, message) : this.sendWhenOpen(message);
  }

  private async sendWhenOpen(message: RawMessage): Promise<void> {
    const channel = await this.channel.whenOpen(this.timeoutMs).catch((error: Error) => {
      throw new UnconfirmedError(error.message);
    });
    await this.sendOn(channel, message);
  }

  private sendOn(channel: ConfirmChannel, { exchange, routingKey, body, properties }: RawMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const key = returnKey(exchange, routingKey, properties.messageId);
      const timer = setTimeout(() => reject(new UnconfirmedError(`Not confirmed within ${this.timeoutMs} ms`)), this.timeoutMs);
      const confirmed = (error: unknown): void => {
        clearTimeout(timer);
        if (error) reject(new UnconfirmedError((error as Error).message));
        else if (this.takeReturned(key)) reject(new UnroutableError(exchange, routingKey));
        else resolve();
      };
      try {
        const content = typeof body === 'string' ? Buffer.from(body) : body;
        const { user } = this.options.connection;
        channel.publish(exchange, routingKey, content, { ...properties, userId: user, mandatory: properties.mandatory ?? true }, confirmed);
      } catch (error) {
        confirmed(error);
      }
    });
  }

  private onReturn({ fields, properties }: Message): void {
    const key = returnKey(fields.exchange, fields.routingKey, properties.messageId as string | undefined);
    this.returned.set(key, (this.returned.get(key) ?? 0) + 1);
  }

  /** One count for each: two copies of one message that come back together are both seen. */
  private takeReturned(key: string): boolean {
    if (this.returned.size === 0) return false;
    const count = this.returned.get(key);
    if (count === undefined) return false;
    if (count > 1) this.returned.set(key, count - 1);
    else this.returned.delete(key);
    return true;
  }
}

function returnKey(exchange: string, routingKey: string, messageId: string | undefined): string {
  return `${exchange}\n${routingKey}\n${messageId ?? ''}`;
}
