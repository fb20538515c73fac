import { type INestApplication, Logger } from '@nestjs/common';
import { type DeadLetterWhole, EXCHANGE, GetDeadLetter, QUEUE, ReplayDeadLetter, type ReplayView } from '@reprise/contracts';
import { AmqpConnection, deadQueueOf, HEADER } from '@reprise/messaging';
import { nestedArrays, sendAsArray, TestBroker, TestDatabase, waitFor } from '../../../libs/messaging/test/support';
import { Operator } from './support/operator';
import { startDeadletters } from './support/start-deadletters';

const LEVELS = 12_500;
const NOTE = `deep (${LEVELS} levels deep, ${LEVELS * 5} bytes)`;
/** A queue whose service is not there: nobody takes its messages. */
const WORK = QUEUE.provisionerCommands;

describe('a dead message with headers that amqplib cannot read or write', () => {
  let broker: TestBroker;
  let database: TestDatabase;
  let service: INestApplication;
  let operator: Operator;
  const states: string[] = [];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
    service = await startDeadletters(broker, database);
    service.get(AmqpConnection).onState((state) => states.push(state));
    operator = new Operator(broker);
    sendAsArray(broker.channel, 'deep');
  });

  afterAll(async () => {
    await operator?.close();
    await service?.close();
    await Promise.all([broker?.drop(), database?.drop()]);
  });

  // Whatever it was, it has cost nobody the connection, and its queue is empty.
  afterEach(async () => {
    expect(states).toEqual([]);
    await waitFor(async () => (await broker.count(deadQueueOf(WORK))) === 0);
  });

  const show = (id: string) => operator.must<DeadLetterWhole>(GetDeadLetter, { dead_letter_id: id });
  const replay = async (id: string): Promise<void> => {
    const { id: replayId } = await operator.must<ReplayView>(ReplayDeadLetter, { dead_letter_id: id });
    await operator.ended(replayId);
  };

  it('is a letter that says which header is missing, and when it is replayed the copy says so, too', async () => {
    await operator.bury(WORK, '{}', { messageId: 'buried', type: 'buried.v1' }, { deep: nestedArrays(LEVELS), mine: 'kept' });
    const { id } = await operator.letter({ type: 'buried.v1' });
    const { headers } = await show(id);
    expect(headers).toMatchObject({ [HEADER.unreadable]: NOTE, mine: 'kept' });
    expect(headers).not.toHaveProperty('deep');
    await replay(id);
    const copy = await broker.take(WORK);
    expect(copy.properties).toMatchObject({ messageId: 'buried', headers: { [HEADER.unreadable]: NOTE, mine: 'kept' } });
  });

  it('is a letter with the reason of the broker, where the broker itself took it out of its queue', async () => {
    const properties = { messageId: 'expired', type: 'expired.v1', expiration: 1, headers: { deep: nestedArrays(LEVELS) } };
    await broker.publish(EXCHANGE.retry, WORK, '{}', properties);
    const letter = await operator.letter({ type: 'expired.v1' });
    expect(letter).toMatchObject({ queue: WORK, reason: 'expired' });
    expect((await show(letter.id)).headers).toMatchObject({ [HEADER.unreadable]: NOTE, 'x-death': [{ queue: WORK }] });
  });

  it.each<[string, Record<string, unknown>, RegExp?]>([
    ['more doubles than there is room for', { junk: Array(7_000).fill(0.5) }, /^junk \(63010 bytes\)$/],
    [
      'a table that looks like a type of amqplib',
      { junk: [{ '!': 'object', value: { '!': 'nonsense', value: 1 } }] },
      /^junk \(cannot be sent again\)$/,
    ],
    ['a double far below nought', { junk: { '!': 'double', value: -1e300 } }, /^junk \(cannot be sent again\)$/],
    ['bytes for a prototype', { junk: [{ '!': 'object', value: Object.fromEntries([['__proto__', Buffer.from('x')]]) }] }],
    ['bytes for the prototype of all', Object.fromEntries([['__proto__', Buffer.from('x')]])],
  ])('with %s is stored, and replayed without what cannot go along', async (what, headers, note = /^$/) => {
    const properties = { messageId: what, type: 'junk.v1', expiration: 1 };
    await broker.publish(EXCHANGE.retry, WORK, JSON.stringify({ what }), { ...properties, headers: { ...headers, mine: 'kept' } });
    const { id } = await waitFor(async () => (await operator.letters({ type: 'junk.v1' })).find(({ message_id }) => message_id === what));
    await replay(id);
    const copy = await broker.take(WORK);
    expect(copy.properties).toMatchObject({ messageId: what, headers: { mine: 'kept', [HEADER.replays]: 1 } });
    expect(copy.properties.headers![HEADER.leftOut] ?? '').toMatch(note);
  });
});
