import { Controller, type INestApplication } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { Options } from 'amqplib';
import { AmqpConnection, deadQueueOf, HEADER, MessageContext } from '../src';
import { COMMAND, EVENT, Note, properties, startApp, WORK } from './support/fixture';
import { nestedArrays, replaceOnWire, sendAsArray, TestBroker, waitFor } from './support';

const DEAD = deadQueueOf(WORK);
const NOT_UTF8 = '~'.repeat(255);
const seen: { text: string; context: MessageContext }[] = [];

@Controller()
class Notes {
  @MessagePattern(COMMAND)
  @EventPattern(EVENT)
  note(@Payload() { text }: Note, @Ctx() context: MessageContext): void {
    seen.push({ text, context });
    if (text === 'throw once' && context.attempt === 1) throw new Error('not yet');
  }
}

describe('a message with headers that amqplib cannot read or write', () => {
  let broker: TestBroker;
  let app: INestApplication;
  const states: string[] = [];

  beforeAll(async () => {
    broker = await TestBroker.create();
    sendAsArray(broker.channel, 'deep');
    replaceOnWire(broker.channel, NOT_UTF8, Buffer.alloc(255, 0xff));
    app = await startApp(broker, { controllers: [Notes] });
    app.get(AmqpConnection).onState((state) => states.push(state));
  });

  afterAll(async () => {
    await app?.close();
    await broker?.drop();
  });

  afterEach(() => {
    // Whatever it was, it has cost nobody the connection.
    expect(states).toEqual([]);
    seen.splice(0);
  });

  const send = (body: object, headers: Record<string, unknown>, more: Options.Publish = {}) => {
    const standard = properties(COMMAND, 'm');
    return broker.publish('t.commands', COMMAND, body, { ...standard, ...more, headers: { ...standard.headers, ...headers } });
  };
  const goodOneIsHandled = async () => {
    await send({ text: 'good' }, {});
    await waitFor(() => seen.some(({ text }) => text === 'good'), 'the message behind');
  };

  it.each([33, 12_500, 13_000])('that nest %i levels deep is a dead letter that says so, with all its other headers', async (levels) => {
    await send({ text: 'x' }, { deep: nestedArrays(levels), mine: 'kept' });
    const { headers } = (await broker.take(DEAD)).properties;
    expect(headers).toMatchObject({
      [HEADER.deadReason]: 'invalid',
      [HEADER.unreadable]: `deep (${levels} levels deep, ${levels * 5} bytes)`,
      mine: 'kept',
    });
    expect(headers![HEADER.exception]).toContain(`deep (${levels} levels deep`);
    expect(headers).not.toHaveProperty('deep');
    expect(seen).toEqual([]);
    await goodOneIsHandled();
  });

  it('that nest as deep as is taken is handled', async () => {
    await send({ text: 'x' }, { deep: nestedArrays(32) });
    await waitFor(() => seen.length === 1, 'the message');
    expect(JSON.stringify(seen[0]!.context.headers.deep)).toBe('['.repeat(32) + ']'.repeat(32));
  });

  it.each<[string, Record<string, unknown>]>([
    ['more doubles than there is room for', { junk: Array(7_200).fill(0.5) }],
    ['more nulls than there is room for', { junk: Array(45_000).fill(null) }],
    ['a double far below nought', { junk: { '!': 'double', value: -1e300 } }],
    ['a timestamp beyond all time', { junk: [{ '!': 'timestamp', value: 2n ** 64n - 1n }] }],
    ['a table that looks like a type of amqplib', { junk: [{ '!': 'object', value: { '!': 'nonsense', value: 1 } }] }],
    ['bytes for a prototype', { junk: [{ '!': 'object', value: Object.fromEntries([['__proto__', Buffer.from('x')]]) }] }],
    ['a name that is not UTF-8', { [NOT_UTF8]: 1 }],
  ])('such as %s is put aside like any other', async (_, headers) => {
    await send({ nope: 1 }, headers);
    const dead = await broker.take(DEAD, 5_000);
    expect(dead.properties.headers).toMatchObject({ [HEADER.deadReason]: 'invalid', [HEADER.attempts]: 1 });
    expect(dead.properties.headers).not.toHaveProperty('junk');
    if ('junk' in headers) expect(dead.properties.headers![HEADER.leftOut]).toMatch(/junk \(/);
    await goodOneIsHandled();
  });

  it('is repeated as any other, with a note in the place of what cannot be carried along', async () => {
    await send({ text: 'throw once' }, { junk: Array(7_000).fill(0.5), cloudEvents_orgid: 'acme' });
    await waitFor(() => seen.length === 2, 'both attempts');
    expect(seen[1]!.context.headers).toMatchObject({ [HEADER.leftOut]: 'junk (63010 bytes)', cloudEvents_orgid: 'acme' });
  });

  it.each(['messageId', 'correlationId', 'replyTo'] as const)('is a dead letter, too, where %s is not UTF-8', async (name) => {
    await send({ text: 'fine but for that' }, {}, { [name]: NOT_UTF8 });
    const { headers } = (await broker.take(DEAD)).properties;
    expect(headers).toMatchObject({ [HEADER.deadReason]: 'invalid', [HEADER.exception]: expect.stringContaining('is not UTF-8') });
    await goodOneIsHandled();
  });

  it('is put aside, too, where no property that can be cut is UTF-8', async () => {
    await send({ nope: 1 }, {}, { appId: NOT_UTF8, contentEncoding: NOT_UTF8 });
    expect((await broker.take(DEAD)).properties.headers).toMatchObject({ [HEADER.deadReason]: 'invalid' });
    await goodOneIsHandled();
  });

  it('four hundred of which hold up nothing', async () => {
    for (let i = 0; i < 400; i++) await send({ nope: 1 }, { junk: Array(7_200).fill(0.5) });
    await goodOneIsHandled();
    await waitFor(async () => (await broker.count(DEAD)) === 400, 'all the dead letters');
    await broker.channel.purgeQueue(DEAD);
  });
});
