import { randomUUID } from 'node:crypto';
import { type DeadLetterView, EXCHANGE, EXCHANGE_OF, GetReplay, ListDeadLetters, MESSAGES, type ReplayView } from '@reprise/contracts';
import { AmqpConnection, catalogOf, Envelope, HEADER, type Reply, Requester } from '@reprise/messaging';
import { type TestBroker, waitFor } from '../../../../libs/messaging/test/support';

/** Someone who asks the service as the gateway does, and who can bury messages as a service does. */
export class Operator {
  private readonly connection: AmqpConnection;
  private readonly requester: Requester;

  constructor(private readonly broker: TestBroker) {
    this.connection = new AmqpConnection({ url: broker.url, name: 'operator' });
    this.requester = new Requester(this.connection, new Envelope(catalogOf(MESSAGES, EXCHANGE_OF), 'test'));
  }

  ask<T>(message: { type: string }, data: object, id: string = randomUUID(), actor = 'olga'): Promise<Reply<T>> {
    return this.requester.request<T>({ type: message.type, data, id, actor, orgId: 'ops' }, { deadlineMs: 20_000 });
  }

  /** The value of an answer that must not be a refusal. */
  async must<T>(message: { type: string }, data: object): Promise<T> {
    const reply = await this.ask<T>(message, data);
    if (reply.status !== 'done') throw new Error(JSON.stringify(reply));
    return reply.value;
  }

  async letters(filter: object = {}): Promise<DeadLetterView[]> {
    return (await this.must<{ dead_letters: DeadLetterView[] }>(ListDeadLetters, { filter, limit: 200 })).dead_letters;
  }

  /** The one letter that fits, as soon as it does. */
  letter(filter: object): Promise<DeadLetterView> {
    return waitFor(async () => (await this.letters(filter))[0], `a letter ${JSON.stringify(filter)}`);
  }

  ended(id: string, limitMs?: number): Promise<ReplayView> {
    const look = async (): Promise<ReplayView | false> => {
      const replay = await this.must<ReplayView>(GetReplay, { replay_id: id });
      return replay.status === 'done' && replay;
    };
    return waitFor(look, `the end of ${id}`, limitMs);
  }

  /** Puts a message among the dead of a queue, with the story that a service tells. */
  async bury(queue: string, body: Buffer | string, properties: object = {}, headers: Record<string, unknown> = {}): Promise<void> {
    const story = {
      [HEADER.deadReason]: 'invalid',
      [HEADER.exception]: 'DeadLetter: it is not valid',
      [HEADER.stack]: 'DeadLetter: it is not valid\n    at somewhere',
      [HEADER.attempts]: 1,
      [HEADER.firstFailure]: new Date().toISOString(),
      [HEADER.lastFailure]: new Date().toISOString(),
    };
    await this.broker.publish(EXCHANGE.dead, queue, body, { ...properties, headers: { ...story, ...headers } });
  }

  async close(): Promise<void> {
    this.requester.close();
    await this.connection.close();
  }
}
