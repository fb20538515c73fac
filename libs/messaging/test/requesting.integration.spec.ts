import { Controller, type INestApplication } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { connect } from 'amqplib';
import {
  MessageContext,
  RefusedError,
  Requester,
  RequestFailedError,
  RequestTimeoutError,
  RequestUnavailableError,
  RetryLater,
} from '../src';
import { COMMAND, Note, properties, QUERIES, QUERY, startApp, WORK } from './support/fixture';
import { TestBroker, waitFor } from './support';

const calls: MessageContext[] = [];

@Controller()
class Notes {
  @MessagePattern([COMMAND, QUERY])
  async note(@Payload() { text }: Note, @Ctx() context: MessageContext): Promise<unknown> {
    calls.push(context);
    if (text === 'refuse') throw new RefusedError({ code: 'no', message: 'No' });
    if (text === 'throw') throw new Error('secret detail');
    if (text === 'later' && context.attempt === 1) throw new RetryLater('not yet');
    if (text === 'never') await new Promise(() => undefined);
    if (text === 'slow') await new Promise((resolve) => setTimeout(resolve, 300));
    return text === 'nothing' ? undefined : { was: text };
  }
}

describe('a request', () => {
  let broker: TestBroker;
  let app: INestApplication;
  let asker: INestApplication;
  let requester: Requester;

  beforeAll(async () => {
    broker = await TestBroker.create();
    app = await startApp(broker, {
      controllers: [Notes],
      consumers: [{ queue: WORK, types: [COMMAND] }, { queue: QUERIES }],
      drainTimeoutMs: 500,
    });
    asker = await startApp(broker, { consumers: [], source: 'asker' });
    requester = asker.get(Requester);
  });

  afterAll(async () => {
    await Promise.all([app?.close(), asker?.close()]);
    await broker?.drop();
  });

  beforeEach(() => calls.splice(0));

  const ask = (type: string, text: string, deadlineMs = 5_000) => requester.request({ type, data: { text } }, { deadlineMs });

  it.each([COMMAND, QUERY])('is answered: %s', async (type) => {
    expect(await ask(type, 'hello')).toEqual({ status: 'done', value: { was: 'hello' } });
    expect(await ask(type, 'nothing')).toEqual({ status: 'done', value: undefined });
    expect(await ask(type, 'refuse')).toEqual({ status: 'refused', refusal: { code: 'no', message: 'No' } });
  });

  it('carries its context, and a deadline that its handler can see', async () => {
    await requester.request(
      { type: COMMAND, data: { text: 'x' }, orgId: 'acme', actor: 'alice', subject: 'ws_1', correlationId: 'c-1' },
      { deadlineMs: 5_000 },
    );
    expect(calls[0]).toMatchObject({
      orgId: 'acme',
      actor: 'alice',
      subject: 'ws_1',
      correlationId: 'c-1',
      source: 'asker',
      attempt: 1,
      queue: WORK,
    });
  });

  it('is answered, each with its own answer, however many there are at once', async () => {
    const texts = Array.from({ length: 500 }, (_, i) => `number ${i}`);
    expect(await Promise.all(texts.map((text) => ask(COMMAND, text)))).toEqual(
      texts.map((text) => ({ status: 'done', value: { was: text } })),
    );
  });

  it('is answered after a retry, when its handler was not ready the first time', async () => {
    expect(await ask(COMMAND, 'later')).toEqual({ status: 'done', value: { was: 'later' } });
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('that nobody answers in time is given up, and its late answer is dropped', async () => {
    await expect(ask(COMMAND, 'slow', 100)).rejects.toThrow(RequestTimeoutError);
    expect(await ask(COMMAND, 'after')).toMatchObject({ status: 'done' });
    await new Promise((resolve) => setTimeout(resolve, 300));
  });

  it('is sent again under the same id until it is answered', async () => {
    const request = requester.request({ id: 'again', type: COMMAND, data: { text: 'slow' } }, { deadlineMs: 5_000, resendEveryMs: 100 });
    const same = requester.request({ id: 'again', type: COMMAND, data: { text: 'slow' } }, { deadlineMs: 5_000 });
    expect(await same).toBe(await request);
    expect(calls.length).toBeGreaterThan(1);
    expect(new Set(calls.map(({ id }) => id))).toEqual(new Set(['again']));
    expect(new Set(calls.map(({ bodyHash }) => bodyHash.toString('hex'))).size).toBe(1);
  });

  it('to a query that fails inside is told so, without what failed', async () => {
    await expect(ask(QUERY, 'throw')).rejects.toMatchObject({
      constructor: RequestFailedError,
      reason: 'unavailable',
      message: 'The query could not be answered',
    });
    const invalid = requester.request({ type: QUERY, data: { txet: 'x' } }, { deadlineMs: 5_000 });
    await expect(invalid).rejects.toMatchObject({ reason: 'invalid' });
  });

  it('for which there is no queue fails at once when it is a query', async () => {
    await broker.channel.unbindQueue(QUERIES, 't.querys', QUERY);
    await expect(ask(QUERY, 'x', 20_000)).rejects.toThrow(RequestUnavailableError);
    await broker.channel.bindQueue(QUERIES, 't.querys', QUERY);
  });

  it('of another client is answered as AMQP clients expect it', async () => {
    const model = await connect(broker.url);
    const channel = await model.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    channel.publish('t.commands', COMMAND, Buffer.from('{"text":"x"}'), {
      ...properties(COMMAND, 'm-1'),
      replyTo: queue,
      correlationId: 'mine',
    });
    const reply = await waitFor(() => channel.get(queue, { noAck: true }), 'the reply');
    expect(reply.properties.correlationId).toBe('mine');
    expect(JSON.parse(reply.content.toString())).toEqual({ status: 'done', value: { was: 'x' } });
    await model.close();
  });

  it('with an unusable reply-to harms nothing', async () => {
    for (const replyTo of ['amq.rabbitmq.reply-to.rubbish', 'no-such-queue']) {
      await broker.publish('t.commands', COMMAND, { text: 'x' }, { ...properties(COMMAND, 'm-2'), replyTo });
    }
    await waitFor(() => calls.length === 2, 'both');
    await waitFor(() => ask(COMMAND, 'after', 1_000).catch(() => undefined), 'an answer to another');
  });
});
