import { Controller, type INestApplication } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { connect } from 'amqplib';
import { DeadLetter, deadQueueOf, HEADER, MessageContext, RefusedError, Requester, retryQueueOf } from '../src';
import { COMMAND, EVENT, Note, properties, SHORT, startApp, WORK } from './support/fixture';
import { TestBroker, waitFor } from './support';

const DEAD = deadQueueOf(WORK);
const seen: { data: Note; context: MessageContext }[] = [];

@Controller()
class Notes {
  @MessagePattern(COMMAND)
  note(@Payload() data: Note, @Ctx() context: MessageContext): { was: string } {
    seen.push({ data, context });
    if (data.text === 'throw') throw new TypeError(`no luck ${'x'.repeat(20_000)}`);
    if (data.text === 'throw once' && context.attempt === 1) throw new Error('not yet');
    if (data.text === 'dead') throw new DeadLetter('cursed', 'never again');
    if (data.text === 'refuse') throw new RefusedError({ code: 'not_today', message: 'Not today', details: { day: 1 } });
    return { was: data.text };
  }
}

describe('the ends of a message on a work queue', () => {
  let broker: TestBroker;
  let app: INestApplication;

  beforeAll(async () => {
    broker = await TestBroker.create();
    app = await startApp(broker, { controllers: [Notes] });
  });

  afterAll(async () => {
    await app?.close();
    await broker?.drop();
  });

  beforeEach(() => seen.splice(0));

  const send = (id: string, body: string | object, more = {}) =>
    broker.publish('t.commands', COMMAND, body, { ...properties(COMMAND, id), ...more });

  it('a handler that throws is retried after each delay, and its message then stands in the dead letters with its story', async () => {
    const body = '{ "text":   "throw" }';
    await send('m-throw', body, { appId: 'someone', correlationId: 'c-1', headers: { cloudEvents_subject: 'ws_1', mine: 'kept' } });
    const dead = await broker.take(DEAD);

    expect(seen.map(({ context }) => context.attempt)).toEqual([1, 2, 3, 4]);
    expect(dead.content.toString()).toBe(body);
    expect(dead.properties).toMatchObject({ messageId: 'm-throw', type: COMMAND, correlationId: 'c-1', appId: 'someone', deliveryMode: 2 });
    const headers = dead.properties.headers!;
    expect(headers).toMatchObject({
      [HEADER.deadReason]: 'retries_exhausted',
      [HEADER.sourceQueue]: WORK,
      [HEADER.attempts]: 4,
      cloudEvents_subject: 'ws_1',
      mine: 'kept',
    });
    expect(headers[HEADER.exception]).toMatch(/^TypeError: no luck/);
    expect(Buffer.byteLength(headers[HEADER.stack] as string)).toBeLessThanOrEqual(8 * 1024);
    expect(Date.parse(headers[HEADER.firstFailure] as string)).toBeLessThan(Date.parse(headers[HEADER.lastFailure] as string));
    expect(headers).not.toHaveProperty('x-death');
    expect(await broker.count(WORK)).toBe(0);
  });

  it('a handler that throws once is called again and its message is done', async () => {
    await send('m-once', { text: 'throw once' });
    await waitFor(() => seen.length === 2, 'the second attempt');
    expect(seen[1]!.context).toMatchObject({ attempt: 2, id: 'm-once', firstFailure: expect.any(String) });
    for (const { label } of SHORT) expect(await broker.count(retryQueueOf(WORK, label))).toBe(0);
  });

  it('a poison message holds up none of those behind it', async () => {
    await send('m-poison', { text: 'throw' });
    for (let i = 0; i < 20; i++) await send(`m-behind-${i}`, { text: 'fine' });
    await waitFor(() => seen.filter(({ data }) => data.text === 'fine').length === 20, 'the messages behind');
    expect((await broker.take(DEAD)).properties.messageId).toBe('m-poison');
  });

  it.each([
    ['that is not JSON', '{"text": ', 'unparseable'],
    ['that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'unparseable'],
    ['that is no object', '[1]', 'invalid'],
    ['of the wrong shape', { text: 7 }, 'invalid'],
    ['with an unknown field', { text: 'x', txet: 'y' }, 'invalid'],
    ['that its handler declares dead', { text: 'dead' }, 'cursed'],
  ])('a message %s is dead at once', async (_, body, reason) => {
    await send('m-bad', body);
    const { headers } = (await broker.take(DEAD)).properties;
    expect(headers).toMatchObject({ [HEADER.deadReason]: reason, [HEADER.attempts]: 1 });
    expect(seen.length).toBe(reason === 'cursed' ? 1 : 0);
  });

  it('an invalid message says in its dead letter what is wrong with it', async () => {
    await send('m-invalid', { text: 7, more: [] });
    const { headers } = (await broker.take(DEAD)).properties;
    expect(headers![HEADER.exception]).toContain('text must be a string');
    expect(headers![HEADER.exception]).toContain('more must be a string');
  });

  it('a message without a handler is dead', async () => {
    await broker.publish('t.commands', 'test.unknown.v1', { text: 'x' }, properties('test.unknown.v1', 'm-unknown'));
    expect((await broker.take(DEAD)).properties.headers).toMatchObject({ [HEADER.deadReason]: 'no_handler' });
    await broker.publish('t.commands', EVENT, { text: 'x' }, properties(EVENT, 'm-known'));
    expect((await broker.take(DEAD)).properties.headers).toMatchObject({ [HEADER.deadReason]: 'no_handler' });
  });

  it.each(['messageId', 'type'])('a message without %s is dead as invalid', async (missing) => {
    await send('m-none', { text: 'x' }, { [missing]: undefined });
    expect((await broker.take(DEAD)).properties.headers).toMatchObject({ [HEADER.deadReason]: 'invalid' });
  });

  it('a refusal is an answer: the asker gets it, and nothing is retried or dead', async () => {
    const reply = await app.get(Requester).request({ type: COMMAND, data: { text: 'refuse' } }, { deadlineMs: 5_000 });
    expect(reply).toEqual({ status: 'refused', refusal: { code: 'not_today', message: 'Not today', details: { day: 1 } } });
    await send('m-done', { text: 'fine' });
    await waitFor(() => seen.length === 2, 'the message behind');
    expect(await broker.count(DEAD)).toBe(0);
  });

  it('a dead letter tells the asker at once that there will be no answer', async () => {
    const request = app.get(Requester).request({ type: COMMAND, data: { text: 'dead' } }, { deadlineMs: 5_000 });
    await expect(request).rejects.toMatchObject({ reason: 'cursed' });
    await broker.take(DEAD);
  });

  it('a retried message still names the broker user that sent it', async () => {
    const sender = await broker.addUser();
    const other = await startApp(broker, { url: sender.url, consumers: [] });
    await other.get(Requester).request({ type: COMMAND, data: { text: 'throw once' } }, { deadlineMs: 5_000 });
    expect(seen.map(({ context }) => context.userId)).toEqual([sender.name, sender.name]);
    await other.close();
    await sender.remove();
  });

  it('a sender that claims to be another broker user is not believed', async () => {
    const stranger = await broker.addUser();
    const model = await connect(stranger.url);
    const channel = await model.createConfirmChannel();
    const claim = { ...properties(COMMAND, 'm-claim'), userId: stranger.name, headers: { [HEADER.userId]: 'somebody-important' } };
    channel.publish('t.commands', COMMAND, Buffer.from('{"text":"throw once"}'), claim);
    await waitFor(() => seen.length === 2, 'both attempts');
    expect(seen.map(({ context }) => context.userId)).toEqual([stranger.name, stranger.name]);
    await model.close();
    await stranger.remove();
  });
});
