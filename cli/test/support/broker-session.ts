import { randomUUID } from 'node:crypto';
import { type ConfirmChannel, connect, type ConsumeMessage } from 'amqplib';

/** A connection of one broker user, for trying what it may do. */
export class BrokerSession {
  private constructor(
    private readonly model: Awaited<ReturnType<typeof connect>>,
    readonly user: string,
  ) {}

  static async open(url: string): Promise<BrokerSession> {
    const model = await connect(url, { noDelay: true });
    model.on('error', () => undefined);
    return new BrokerSession(model, new URL(url).username);
  }

  /** Whether the broker lets it be done: true, or false where it answers ACCESS_REFUSED. Any other failure is thrown. */
  async may(action: (channel: ConfirmChannel) => Promise<unknown>): Promise<boolean> {
    const channel = await this.model.createConfirmChannel();
    const closed = new Promise<never>((_, reject) => channel.on('error', reject));
    closed.catch(() => undefined);
    try {
      // A refused publish is told by the channel's end alone.
      await Promise.race([action(channel).then(() => channel.waitForConfirms()), closed]);
      await channel.close();
      return true;
    } catch (error) {
      // What the action was rejected with may only say that the channel closed; the channel's own error has the broker's words.
      const told = `${String(error)} ${String(await Promise.race([closed, error]).catch((reason: unknown) => reason))}`;
      if (told.includes('ACCESS_REFUSED')) return false;
      throw error;
    }
  }

  mayPublish(exchange: string, routingKey: string, options: { userId?: string } = {}): Promise<boolean> {
    return this.may((channel) => Promise.resolve(channel.publish(exchange, routingKey, Buffer.from('{}'), options)));
  }

  mayTake(queue: string): Promise<boolean> {
    return this.may((channel) => channel.get(queue));
  }

  mayConsume(queue: string): Promise<boolean> {
    return this.may((channel) => channel.consume(queue, () => undefined));
  }

  /** Asks by direct reply-to and resolves with the body of the answer. */
  async ask(exchange: string, routingKey: string): Promise<string> {
    const channel = await this.model.createChannel();
    const answer = new Promise<string>((resolve) => {
      void channel
        .consume('amq.rabbitmq.reply-to', (message) => resolve(String(message?.content)), { noAck: true })
        .then(() => {
          const properties = { replyTo: 'amq.rabbitmq.reply-to', messageId: randomUUID(), userId: this.user };
          channel.publish(exchange, routingKey, Buffer.from('{}'), properties);
        });
    });
    return answer.finally(() => void channel.close());
  }

  /** Answers the next message of a queue by the default exchange, as the services do. */
  async answerNext(queue: string, body: string): Promise<void> {
    const channel = await this.model.createConfirmChannel();
    const message = await new Promise<ConsumeMessage>((resolve) => {
      void channel.consume(queue, (next) => next && resolve(next), { noAck: true });
    });
    channel.publish('', message.properties.replyTo as string, Buffer.from(body));
    await channel.waitForConfirms();
    await channel.close();
  }

  close(): Promise<void> {
    return this.model.close();
  }
}
