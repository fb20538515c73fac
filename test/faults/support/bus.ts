import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, connect, type ConsumeMessage, type GetMessage } from 'amqplib';
import { EXCHANGE, QUEUES } from '@reprise/contracts';
import { RETRY_DELAYS, retryQueueOf } from '@reprise/messaging/topology';
import { eventually } from '../../support';
import type { Json } from '../../support/json';

const TAP = 'faults.tap';
const EXCHANGES = ['reprise.commands', 'reprise.events'];
/** A command for which billing cannot be asked is tried again after 5 s, 30 s and 5 min. */
const OUTCOME_WITHIN_MS = 480_000;
/** A consumer of this priority is given messages before the services, which have none. */
const AHEAD_OF_SERVICES = 10;
/** Commands are far apart: so long is waited for another one. */
const PATIENCE_FOR_A_SECOND_MS = 15_000;
/** So many of the latest messages are at hand to be sent once more. */
const RECENT = 400;

const WORK_QUEUES = QUEUES.filter(({ kind }) => kind === 'work');
/** The last of the delays, of minutes. */
const LONGEST_DELAY = RETRY_DELAYS.at(-1)!.label;

function waitsIn(channel: ConfirmChannel, queue: string): Promise<GetMessage | false> {
  return channel.get(retryQueueOf(queue, LONGEST_DELAY), { noAck: false });
}

/** What is remembered of a message for the account at the end. */
export interface Seen {
  id: string;
  type: string;
  copies: number;
  /** What it is about, as far as its data say so. */
  operationId?: string;
  taskId?: string;
  /** The pod that it tells lost, `<workspace>/<generation>`. */
  lostPod?: string;
  idempotencyKey?: string;
}

/** A connection to the broker that comes back by itself. What is done with it fails while the broker is away. */
class Line {
  private opening: Promise<ConfirmChannel> | undefined;
  private connection: ChannelModel | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly setUp: (channel: ConfirmChannel) => Promise<void> = () => Promise.resolve(),
  ) {}

  channel(): Promise<ConfirmChannel> {
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  async connected(): Promise<ChannelModel> {
    await this.channel();
    if (!this.connection) throw new Error('the connection to the broker is gone');
    return this.connection;
  }

  /** Keeps it open from now on. */
  keep(): void {
    this.channel().catch(() => {
      if (!this.closed) setTimeout(() => this.keep(), 500);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.connection?.close().catch(() => undefined);
  }

  private async open(): Promise<ConfirmChannel> {
    const connection = await connect(`${this.url}?heartbeat=5`, { noDelay: true, timeout: 5_000 });
    this.connection = connection;
    const lost = () => {
      this.opening = undefined;
      if (!this.closed) setTimeout(() => this.keep(), 300);
    };
    connection.on('error', () => undefined);
    connection.once('close', lost);
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    channel.once('close', () => void connection.close().catch(() => undefined));
    await this.setUp(channel);
    return channel;
  }
}

/**
 * The suite's own place at the broker: an internal publisher that sends commands and learns their outcome, an ear that hears every command and event, and
 * a hand that sends messages twice or holds some up.
 */
export class Bus {
  readonly seen = new Map<string, Seen>();
  /** What was told about a command, by correlation id. */
  private readonly outcomes = new Map<string, Json>();
  private readonly toldCommands = new Set<string>();
  private readonly recent: ConsumeMessage[] = [];
  private readonly publisher: Line;
  private readonly ear: Line;

  /** @param adminUrl of a user who may publish in others' names (the tag `impersonator`) */
  constructor(publisherUrl: string, adminUrl: string) {
    this.publisher = new Line(publisherUrl);
    this.ear = new Line(adminUrl, (channel) => this.listen(channel));
  }

  async open(): Promise<void> {
    await Promise.all([this.publisher.channel(), this.ear.channel()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.publisher.close(), this.ear.close()]);
  }

  /** Sends a command as an internal publisher does: the same message, until the broker has confirmed it. @returns what it was told by */
  async command(type: string, org: string, data: { workspace_id?: string } & Record<string, unknown>): Promise<string> {
    const [messageId, correlationId] = [randomUUID(), randomUUID()];
    await eventually(
      async () => {
        const channel = await this.publisher.channel();
        await new Promise<void>((resolve, reject) => {
          const givenUp = setTimeout(() => reject(new Error('the broker did not confirm')), 10_000);
          channel.publish(
            'reprise.commands',
            type,
            Buffer.from(JSON.stringify(data)),
            {
              messageId,
              correlationId,
              type,
              userId: 'reprise_publisher',
              contentType: 'application/json',
              persistent: true,
              mandatory: true,
              headers: {
                cloudEvents_specversion: '1.0',
                cloudEvents_orgid: org,
                cloudEvents_source: 'faults',
                ...(data.workspace_id === undefined ? {} : { cloudEvents_subject: data.workspace_id }),
              },
            },
            (error: unknown) => {
              clearTimeout(givenUp);
              if (error) reject(error instanceof Error ? error : new Error('the broker refused it'));
              else resolve();
            },
          );
        });
      },
      { within: 120_000, every: 500 },
    );
    return correlationId;
  }

  /** The operations that were begun by commands, as their senders were told. */
  begun(): Set<string> {
    return new Set([...this.outcomes.values()].flatMap(({ answer }) => (answer?.operation_id as string | undefined) ?? []));
  }

  hasTold(correlationId: string): boolean {
    return this.outcomes.has(correlationId);
  }

  /** Whether something was told about the command with this message id. */
  toldOf(messageId: string): boolean {
    return this.toldCommands.has(messageId);
  }

  /** What became of a command: `{answer}` or `{code}`. @throws Error when nothing was told in time */
  async outcome(correlationId: string, within = OUTCOME_WITHIN_MS): Promise<Json> {
    return eventually(
      () => {
        const outcome = this.outcomes.get(correlationId);
        if (!outcome) throw new Error(`nothing was told about the command ${correlationId}`);
        return outcome;
      },
      { within, every: 100 },
    );
  }

  /** Sends some of the latest messages once more, as they were. @returns how many */
  async duplicate(pick: (recent: readonly ConsumeMessage[]) => ConsumeMessage[]): Promise<number> {
    const chosen = pick(this.recent);
    const channel = await this.ear.channel();
    for (const { fields, properties, content } of chosen) channel.publish(fields.exchange, fields.routingKey, content, properties);
    await channel.waitForConfirms();
    return chosen.length;
  }

  /**
   * Takes up to `most` messages out of a queue before its consumers get them, holds them for a while and sends them again in the opposite order, by
   * the way that they came: a consumer takes a message by no other. What another queue is bound for, too, gets there twice.
   * @returns how many
   */
  async reorder(queue: string, most: number, holdMs: number): Promise<number> {
    const channel = await (await this.ear.connected()).createConfirmChannel();
    channel.on('error', () => undefined);
    try {
      const held: ConsumeMessage[] = [];
      await channel.prefetch(most);
      const { consumerTag } = await channel.consume(queue, (message) => void (message && held.push(message)), {
        priority: AHEAD_OF_SERVICES,
      });
      await delay(holdMs);
      // One message alone has no order.
      for (const until = Date.now() + PATIENCE_FOR_A_SECOND_MS; held.length < 2 && Date.now() < until;) await delay(20);
      // First, so that what is put back does not come here again.
      await channel.cancel(consumerTag);
      for (const { fields, properties, content } of held.reverse())
        channel.publish(fields.exchange, fields.routingKey, content, properties);
      await channel.waitForConfirms();
      for (const message of held) channel.ack(message);
      return held.length;
    } finally {
      // What is still held then goes back to the queue.
      await channel.close().catch(() => undefined);
    }
  }

  /**
   * Sends on at once what waits for its last attempt, as the broker does when the delay is over: with all faults over there is nothing to wait for.
   * @returns how many messages
   */
  async hasten(): Promise<number> {
    const channel = await (await this.ear.connected()).createConfirmChannel();
    channel.on('error', () => undefined);
    try {
      let sent = 0;
      for (const { name } of WORK_QUEUES) {
        for (let got = await waitsIn(channel, name); got; got = await waitsIn(channel, name), sent++) {
          channel.publish(EXCHANGE.retry, name, got.content, got.properties);
          await channel.waitForConfirms();
          channel.ack(got);
        }
      }
      return sent;
    } finally {
      await channel.close().catch(() => undefined);
    }
  }

  private async listen(channel: ConfirmChannel): Promise<void> {
    await channel.assertQueue(TAP, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    for (const exchange of EXCHANGES) await channel.bindQueue(TAP, exchange, '#');
    await channel.prefetch(500);
    await channel.consume(TAP, (message) => {
      if (!message) return;
      this.hear(message);
      channel.ack(message);
    });
  }

  private hear(message: ConsumeMessage): void {
    const { messageId, type, correlationId } = message.properties as { messageId: string; type: string; correlationId: string };
    const known = this.seen.get(messageId);
    if (known) known.copies++;
    else {
      const data = JSON.parse(message.content.toString());
      const lostPod = type === 'reprise.pod.lost.v1' ? `${data.workspace_id}/${data.pod_generation}` : undefined;
      const about = { operationId: data.operation_id, taskId: data.task_id, lostPod, idempotencyKey: data.idempotency?.key };
      this.seen.set(messageId, { id: messageId, type, copies: 1, ...about });
      if (/^reprise\.command\.(accepted|refused)\./.test(type)) {
        this.outcomes.set(correlationId, data);
        this.toldCommands.add(data.command_id as string);
      }
    }
    this.recent.push(message);
    if (this.recent.length > RECENT) this.recent.shift();
  }
}
