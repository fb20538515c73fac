import { randomUUID } from 'node:crypto';
import { EXCHANGES, exchangeOf, type MessageClass } from '@reprise/contracts';
import { assertExchanges, CE, HEADER, type Refusal } from '@reprise/messaging';
import type { TestBroker } from '../../../../libs/messaging/test/support';

type Delivery = NonNullable<Parameters<Parameters<TestBroker['channel']['consume']>[1]>[0]>;

/** A message as the stand-in got it. */
export interface Received {
  id: string;
  type: string;
  orgId: string;
  actor: string | undefined;
  subject: string | undefined;
  traceparent: string | undefined;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the assertions check its shape
  data: any;
}

/** What to answer: a value, a refusal, or nothing at all. */
export type Scripted = (received: Received) => unknown;
export const SILENCE = Symbol('no answer');
export class Refuse {
  readonly refusal: Refusal;
  constructor(code: string, details?: Record<string, unknown>) {
    this.refusal = { code, message: `refused: ${code}`, ...(details ? { details } : {}) };
  }
}

/** That this will not be answered, as the other side's consumer says it. */
export class Fail {
  constructor(readonly reason: string) {}
}

/** Stands at the broker in the place of lifecycle and billing, answers as it is told, and remembers what it got. */
export class StandIn {
  readonly received: Received[] = [];
  private readonly scripts = new Map<string, Scripted>();

  private constructor(private readonly broker: TestBroker) {}

  static async at(broker: TestBroker): Promise<StandIn> {
    await assertExchanges(broker.channel, EXCHANGES);
    return new StandIn(broker);
  }

  /** Answers this type so from now on. */
  async answer(message: MessageClass, script: Scripted): Promise<void> {
    const known = this.scripts.has(message.type);
    this.scripts.set(message.type, script);
    if (known) return;
    await this.broker.channel.assertQueue(message.type, { durable: true });
    await this.broker.channel.bindQueue(message.type, exchangeOf(message), message.type);
    await this.broker.channel.consume(message.type, (delivery) => delivery && this.take(delivery), { noAck: true });
  }

  /** Takes the queue of this type away, as if its service had never been there. */
  async leave(message: MessageClass): Promise<void> {
    this.scripts.delete(message.type);
    await this.broker.channel.deleteQueue(message.type);
  }

  of(message: MessageClass): Received[] {
    return this.received.filter(({ type }) => type === message.type);
  }

  forget(): void {
    this.received.length = 0;
  }

  /** Tells an event. */
  async tell(message: MessageClass, data: object): Promise<void> {
    await this.broker.publish(exchangeOf(message), message.type, data, {
      type: message.type,
      messageId: randomUUID(),
      contentType: 'application/json',
      headers: { [CE.specversion]: '1.0', [CE.time]: new Date().toISOString(), [CE.source]: 'lifecycle' },
    });
  }

  private take({ properties, content }: Delivery): void {
    const headers = (properties.headers ?? {}) as Record<string, string>;
    const received: Received = {
      id: properties.messageId as string,
      type: properties.type as string,
      orgId: headers[CE.orgId] ?? '',
      actor: headers[CE.actor],
      subject: headers[CE.subject],
      traceparent: headers[CE.traceparent],
      data: JSON.parse(content.toString()),
    };
    this.received.push(received);
    void this.reply(properties.replyTo as string, received);
  }

  private async reply(replyTo: string, received: Received): Promise<void> {
    const answer = await this.scripts.get(received.type)?.(received);
    if (answer === SILENCE) return;
    this.broker.channel.publish('', replyTo, Buffer.from(JSON.stringify(bodyOf(answer))), {
      type: 'reply',
      contentType: 'application/json',
      headers: { [HEADER.requestId]: received.id },
    });
  }
}

function bodyOf(answer: unknown): object {
  if (answer instanceof Refuse) return { status: 'refused', refusal: answer.refusal };
  if (answer instanceof Fail) return { status: 'failed', reason: answer.reason, message: `failed: ${answer.reason}` };
  return { status: 'done', value: answer };
}
