import { randomUUID } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, connect, type Message, type Options } from 'amqplib';
import { replaceOnWire, sendAsArray } from '../../libs/messaging/test/support/wire';
import type { Detour } from '../corpus/bad-message';
import { DEEP, NOT_UTF8 } from '../corpus/headers';
import { eventually } from './eventually';
import type { Json } from './json';

const REPLY_TO = 'amq.rabbitmq.reply-to';

/** A message as it was received. */
export interface Received {
  type: string;
  id: string;
  correlationId: string;
  headers: Record<string, Json>;
  /** All AMQP properties but the headers, those that are not there left out. */
  properties?: Readonly<Record<string, unknown>>;
  data: Json;
}

/** A command or an event to publish. */
export interface Sent {
  type: string;
  data: unknown;
  org?: string;
  id?: string;
  correlationId?: string;
  subject?: string;
  actor?: string;
  /** `reprise.commands` by default. */
  exchange?: string;
  /** The type by default. */
  routingKey?: string;
  /** Properties on top of those that the contract asks for. */
  properties?: Options.Publish;
  /** The body as it is, in the place of JSON. */
  raw?: Buffer;
}

/**
 * Another service of the house, with the broker's own client and docs/messages.md, and no code of Reprise: it publishes commands and reads
 * events. As `reprise_publisher` it may do no more; as another broker user it stands in for that service.
 */
export class BrokerClient {
  /** Every event of this stack since it was opened, in the order of arrival. */
  readonly events: Received[] = [];
  /** Rejects when the broker ends the channel, as it does with whoever does what he may not. */
  readonly lost: Promise<never>;
  private readonly waiting = new Map<string, (reply: unknown) => void>();
  private listeningForReplies: Promise<unknown> | undefined;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly user: string,
  ) {
    this.lost = new Promise((_, reject) => channel.once('error', reject));
    // Most never ask.
    this.lost.catch(() => undefined);
  }

  /** @param listen whether to keep the events; the user needs the right to have queues of its own */
  static async open(url: string, { listen = true } = {}): Promise<BrokerClient> {
    const connection = await connect(url, { noDelay: true });
    const channel = await connection.createConfirmChannel();
    sendAsArray(channel, DEEP);
    replaceOnWire(channel, NOT_UTF8, Buffer.alloc(NOT_UTF8.length, 0xff));
    // The channel's own errors reject what is waiting; a scenario may cut the connection on purpose.
    for (const emitter of [connection, channel]) emitter.on('error', () => undefined);
    const client = new BrokerClient(connection, channel, new URL(url).username);
    if (listen) await client.listen();
    return client;
  }

  /** Publishes and waits for the broker's confirmation. @returns the message's id */
  async publish(message: Sent): Promise<string> {
    return this.send(message, {});
  }

  /**
   * Makes what takes a message to where this user may have no right to publish it, by means that are its own.
   * @returns where to publish it instead
   */
  async detour(kind: Detour, to: { exchange: string; routingKey: string }): Promise<{ exchange: string; routingKey: string }> {
    const own = `${this.user.replace('reprise_', '')}.${randomUUID()}`;
    const passing = { durable: false, autoDelete: true };
    switch (kind) {
      case 'own queue':
        await this.channel.assertExchange(own, 'fanout', passing);
        await this.channel.assertQueue(own, {
          durable: true, // RabbitMQ 4.3 refuses others that are not exclusive
          expires: 60_000,
          messageTtl: 0,
          deadLetterExchange: to.exchange,
          deadLetterRoutingKey: to.routingKey,
        });
        await this.channel.bindQueue(own, own, '');
        break;
      case 'alternate exchange':
        await this.channel.assertExchange(own, 'direct', { durable: false, alternateExchange: to.exchange });
        break;
      case 'own exchange':
        await this.channel.assertExchange(own, 'fanout', passing);
        await this.channel.bindExchange(to.exchange, own, '');
        break;
    }
    return { exchange: own, routingKey: to.routingKey };
  }

  /** Publishes a command and waits for its answer by direct reply-to. */
  async ask(message: Sent): Promise<Json> {
    const correlationId = message.correlationId ?? randomUUID();
    this.listeningForReplies ??= this.listenForReplies();
    await this.listeningForReplies;
    const reply = new Promise((resolve) => this.waiting.set(correlationId, resolve));
    await this.send({ ...message, correlationId }, { replyTo: REPLY_TO });
    return reply;
  }

  /** The first event of a type that belongs to this correlation id, as soon as there is one. */
  event(type: string, correlationId: string, { within = 20_000 } = {}): Promise<Received> {
    return eventually(
      () => {
        const found = this.events.find((event) => event.type === type && event.correlationId === correlationId);
        if (!found) throw new Error(`no ${type} of ${correlationId}; there are ${this.events.map((event) => event.type).join(', ')}`);
        return found;
      },
      { within },
    );
  }

  /** All events of a type about one workspace. */
  eventsAbout(workspaceId: string, type: string): Received[] {
    return this.events.filter((event) => event.type === type && event.headers.cloudEvents_subject === workspaceId);
  }

  /** The messages that stand in a queue, which are taken out of it. Only for whoever may read it. */
  async drain(queue: string): Promise<Received[]> {
    const messages: Received[] = [];
    for (let got = await this.channel.get(queue, { noAck: true }); got; got = await this.channel.get(queue, { noAck: true })) {
      messages.push(received(got));
    }
    return messages;
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => undefined);
  }

  private async listen(): Promise<void> {
    const { queue } = await this.channel.assertQueue(`publisher.${randomUUID()}`, { exclusive: true, autoDelete: true });
    await this.channel.bindQueue(queue, 'reprise.events', '#');
    await this.channel.consume(queue, (message) => message && void this.events.push(received(message)), { noAck: true });
  }

  private listenForReplies(): Promise<unknown> {
    return this.channel.consume(
      REPLY_TO,
      (reply) => {
        if (reply) this.waiting.get(reply.properties.correlationId as string)?.(received(reply).data);
      },
      { noAck: true },
    );
  }

  private send(message: Sent, more: Options.Publish): Promise<string> {
    const { type, data, org, id = randomUUID(), correlationId, subject, actor, exchange = 'reprise.commands', properties, raw } = message;
    const { routingKey = type } = message;
    const options: Options.Publish = {
      messageId: id,
      type,
      timestamp: Math.floor(Date.now() / 1000),
      contentType: 'application/json',
      deliveryMode: 2,
      mandatory: true,
      userId: this.user,
      ...(correlationId === undefined ? {} : { correlationId }),
      headers: {
        cloudEvents_specversion: '1.0',
        cloudEvents_time: new Date().toISOString(),
        cloudEvents_source: 'e2e',
        ...(org === undefined ? {} : { cloudEvents_orgid: org }),
        ...(subject === undefined ? {} : { cloudEvents_subject: subject }),
        ...(actor === undefined ? {} : { cloudEvents_actor: actor }),
      },
      ...more,
      ...properties,
    };
    return new Promise((resolve, reject) => {
      this.channel.publish(exchange, routingKey, raw ?? Buffer.from(JSON.stringify(data)), options, (error: unknown) =>
        error instanceof Error ? reject(error) : resolve(id),
      );
    });
  }
}

function received({ content, properties }: Message): Received {
  const text = content.toString();
  return {
    type: properties.type as string,
    id: properties.messageId as string,
    correlationId: properties.correlationId as string,
    headers: properties.headers ?? {},
    properties: Object.fromEntries(Object.entries(properties).filter(([name, value]) => name !== 'headers' && value !== undefined)),
    data: parsed(text),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
