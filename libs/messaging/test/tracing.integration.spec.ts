import { Controller, type INestApplication } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { inTransactionSpan, runWith } from '@reprise/platform';
import { DataSource } from 'typeorm';
import { type Recording, recordSpans } from '../../platform/src/tracing/testing/recording';
import { deadQueueOf, MessageContext, Outbox, Publisher, RefusedError, Requester, toReplay } from '../src';
import { COMMAND, NAMES, Note, properties, QUERIES, QUERY, startApp, WORK } from './support/fixture';
import { TestBroker, TestDatabase, waitFor } from './support';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SENDER = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE}-${SENDER}-01`;

@Controller()
class Notes {
  @EventPattern(COMMAND)
  note(@Payload() { text }: Note, @Ctx() { attempt }: MessageContext): void {
    if (text === 'throw twice' && attempt < 3) throw new Error('the secret is hidden');
    if (text === 'throw') throw new TypeError('never');
    if (text === 'refuse') throw new RefusedError({ code: 'not_today', message: 'Not today' });
  }

  @MessagePattern(QUERY)
  read(): { read: boolean } {
    return { read: true };
  }
}

describe('messages in a trace', () => {
  let broker: TestBroker;
  let database: TestDatabase;
  let app: INestApplication;
  let recording: Recording;

  beforeAll(async () => {
    [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
    const consumers = [{ queue: WORK, types: [] }, { queue: QUERIES }];
    app = await startApp(broker, { controllers: [Notes], consumers, database, outboxSweepMs: 50 });
  });

  afterAll(async () => {
    await app?.close();
    await Promise.all([broker?.drop(), database?.drop()]);
  });

  beforeEach(async () => (recording = await recordSpans()));
  afterEach(() => recording.stop());

  const named = (name: string) => recording.spans.filter((span) => span.name === name);
  const idOf = (name: string) => recording.the(name).spanContext().spanId;
  const parentOf = (name: string) => recording.the(name).parentSpanContext?.spanId;
  const processed = (count: number) => waitFor(() => named(`process ${WORK}`).length === count, `${count} attempts`);
  const send = (text: string, traceparent: string | undefined = TRACEPARENT) => {
    const { headers, ...more } = properties(COMMAND, `m-${text}`);
    return broker.publish('t.commands', COMMAND, { text }, { ...more, headers: { ...headers, ...(traceparent && { traceparent }) } });
  };

  const append = () =>
    runWith({ traceparent: TRACEPARENT }, () =>
      inTransactionSpan(() =>
        app
          .get(DataSource)
          .transaction((manager) =>
            app.get(Outbox).append(manager, [{ type: COMMAND, data: { text: 'x' }, orgId: 'acme', subject: 'ws_1' }]),
          ),
      ),
    );

  async function isChained(): Promise<void> {
    await processed(1);
    await waitFor(() => named(`publish ${COMMAND}`).length === 1, 'the confirmation');
    expect(parentOf('transaction')).toBe(SENDER);
    expect(parentOf(`publish ${COMMAND}`)).toBe(idOf('transaction'));
    expect(parentOf(`process ${WORK}`)).toBe(idOf(`publish ${COMMAND}`));
    expect(recording.spans.every((span) => span.spanContext().traceId === TRACE)).toBe(true);
    expect(recording.the(`publish ${COMMAND}`).attributes).toMatchObject({
      ...{ 'messaging.system': 'rabbitmq', 'messaging.operation.type': 'send', 'messaging.destination.name': `t.commands:${COMMAND}` },
      ...{ 'reprise.org.id': 'acme', 'reprise.workspace.id': 'ws_1' },
    });
  }

  it('hang on the transaction that appended them, through their publishing', async () => {
    await waitFor(() => app.get(Publisher).isReady(), 'the publisher');
    await append();
    await isChained();
  });

  it('do so too where the process that appended them died, and another one sweeps them up', async () => {
    // As a process that has died leaves it: committed, and nobody has it in hand.
    const ready = jest.spyOn(app.get(Publisher), 'isReady').mockReturnValue(false);
    await append();
    await app.get(DataSource).query(`UPDATE notes.outbox SET next_attempt_at = now()`);
    ready.mockRestore();
    await isChained();
  });

  it('have each attempt in the one trace, beside the others, and say which it is', async () => {
    await send('throw twice');
    await processed(3);
    const attempts = named(`process ${WORK}`);
    expect(attempts.map(({ attributes, parentSpanContext, status }) => [attributes, parentSpanContext?.spanId, status.code])).toEqual([
      [expect.objectContaining({ 'reprise.message.attempt': 1, 'reprise.message.outcome': 'retry', 'error.type': 'Error' }), SENDER, 2],
      [expect.objectContaining({ 'reprise.message.attempt': 2, 'reprise.message.outcome': 'retry' }), SENDER, 2],
      [expect.objectContaining({ 'reprise.message.attempt': 3, 'reprise.message.outcome': 'done' }), SENDER, 0],
    ]);
    // The copy for later is made by the attempt that failed.
    expect(parentOf(`publish ${WORK}.retry.5s`)).toBe(attempts[0]!.spanContext().spanId);
    expect(JSON.stringify(attempts.map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain('secret');
  });

  it('keep their trace when they die and are replayed', async () => {
    await send('throw');
    const dead = await broker.take(deadQueueOf(WORK));
    await processed(4);
    expect(dead.properties.headers).toMatchObject({ traceparent: TRACEPARENT });
    const { headers = {}, ...kept } = dead.properties;
    const letter = { queue: WORK, headers, properties: { ...kept, userId: undefined }, body: dead.content, userId: undefined, replays: 1 };
    await app.get(Publisher).send(toReplay(letter, NAMES));
    await broker.take(deadQueueOf(WORK));
    await processed(8);
    expect(named(`process ${WORK}`)[4]).toMatchObject({
      parentSpanContext: { traceId: TRACE, spanId: SENDER },
      attributes: { 'reprise.message.replays': 1, 'reprise.message.attempt': 1 },
    });
  });

  it('that are refused have not failed', async () => {
    await send('refuse');
    await processed(1);
    const { status, attributes, kind } = recording.the(`process ${WORK}`);
    expect(status.code).toBe(0);
    expect(attributes).toMatchObject({ 'reprise.message.outcome': 'refused', 'reprise.refusal.code': 'not_today' });
    expect(kind).toBe(4);
  });

  it.each(['', 'no trace at all', `00-${'0'.repeat(32)}-${SENDER}-01`])(
    'that come with the traceparent "%s" begin a trace',
    async (traceparent) => {
      await send('x', traceparent);
      await processed(1);
      expect(recording.the(`process ${WORK}`).parentSpanContext).toBeUndefined();
    },
  );

  it('that ask hang together with their answering', async () => {
    const ask = () => app.get(Requester).request({ type: QUERY, data: { text: 'x' } }, { deadlineMs: 5_000 });
    expect(await runWith({ traceparent: TRACEPARENT }, ask)).toMatchObject({ status: 'done' });
    await waitFor(() => named(`process ${QUERIES}`).length === 1, 'the end of the answering');
    expect(parentOf(`request ${QUERY}`)).toBe(SENDER);
    expect(parentOf(`process ${QUERIES}`)).toBe(idOf(`request ${QUERY}`));
  });
});
