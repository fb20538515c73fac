import { Controller, Global, type INestApplication, Module } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { Metrics } from '@reprise/platform';
import { DataSource } from 'typeorm';
import { DeadLetter, deadQueueOf, type MessageContext, Outbox, Publisher, RefusedError, Requester, RetryLater } from '../src';
import { COMMAND, Note, NAMES, properties, QUERIES, QUERY, startApp, WORK } from './support/fixture';
import { TcpProxy, TestBroker, TestDatabase, waitFor } from './support';

/** As the platform's module has it: one for the whole application. */
@Global()
@Module({ providers: [Metrics], exports: [Metrics] })
class MetricsModule {}

@Controller()
class Notes {
  @MessagePattern(COMMAND)
  note(@Payload() data: Note, @Ctx() context: MessageContext): { was: string } {
    if (data.text === 'throw once' && context.attempt === 1) throw new TypeError('no luck');
    if (data.text === 'later once' && context.attempt === 1) throw new RetryLater('not yet');
    if (data.text === 'dead') throw new DeadLetter('cursed');
    if (data.text === 'refuse') throw new RefusedError({ code: 'not_today', message: 'Not today' });
    return { was: data.text };
  }

  @MessagePattern(QUERY)
  read(@Payload() data: Note): { was: string } {
    if (data.text === 'throw') throw new Error('no luck');
    return { was: data.text };
  }
}

describe('the metrics of messaging', () => {
  let broker: TestBroker;
  let database: TestDatabase;
  let toDatabase: TcpProxy;
  let app: INestApplication;

  beforeAll(async () => {
    [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
    toDatabase = await TcpProxy.to(database.url);
    database.url = toDatabase.through(database.url);
    app = await startApp(broker, {
      imports: [MetricsModule],
      controllers: [Notes],
      database,
      consumers: [{ queue: WORK, types: [] }, { queue: QUERIES }],
    });
  });

  afterAll(async () => {
    await app?.close();
    await toDatabase?.cut();
    await broker?.drop();
    await database?.drop();
  });

  const scrape = (): Promise<string> => app.get(Metrics).text();

  /** The value of a series, by how its line begins. */
  async function valueOf(series: string): Promise<number | undefined> {
    const line = (await scrape()).split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }
  const becomes = (series: string, value: number): Promise<unknown> =>
    waitFor(async () => (await valueOf(series)) === value, `${series} to be ${value}`);
  const handled = (outcome: string, code: string, type = COMMAND, queue = WORK): string =>
    `messaging_messages_handled_total{queue="${queue}",type="${type}",outcome="${outcome}",code="${code}"}`;
  const send = (id: string, text: string) => broker.publish('t.commands', COMMAND, { text }, properties(COMMAND, id));

  it('count every delivery by how it ended', async () => {
    await send('m-1', 'fine');
    await send('m-2', 'fine');
    await send('m-3', 'throw once');
    await send('m-4', 'later once');
    await send('m-5', 'dead');
    await broker.publish('t.commands', COMMAND, '{', properties(COMMAND, 'm-6'));
    const reply = await app.get(Requester).request({ type: COMMAND, data: { text: 'refuse' } }, { deadlineMs: 5_000 });
    expect(reply.status).toBe('refused');

    await becomes(handled('done', ''), 4);
    await becomes(handled('retried', 'unexpected'), 1);
    await becomes(handled('retried', 'expected'), 1);
    await becomes(handled('dead', 'cursed'), 1);
    await becomes(handled('dead', 'unparseable'), 1);
    await becomes(handled('refused', 'not_today'), 1);
    await becomes(`messaging_message_handling_duration_seconds_count{queue="${WORK}",type="${COMMAND}"}`, 9);
    await becomes(`messaging_messages_in_progress{queue="${WORK}"}`, 0);
    await becomes(`messaging_request_duration_seconds_count{type="${COMMAND}",outcome="refused"}`, 1);
  });

  it('do not grow with the types that strangers make up', async () => {
    for (const type of ['made.up.1', 'made.up.2']) await broker.publish('t.commands', type, {}, properties(type, `m-${type}`));
    await becomes(handled('dead', 'no_handler', 'unknown'), 2);
    expect(await scrape()).not.toContain('made.up');
  });

  it('count queries, and what their askers were answered', async () => {
    const ask = (text: string) => app.get(Requester).request({ type: QUERY, data: { text } }, { deadlineMs: 5_000 });
    await ask('fine');
    await expect(ask('throw')).rejects.toThrow();
    await becomes(handled('done', '', QUERY, QUERIES), 1);
    await becomes(handled('failed', 'unavailable', QUERY, QUERIES), 1);
    await becomes(`messaging_request_duration_seconds_count{type="${QUERY}",outcome="done"}`, 1);
    await becomes(`messaging_request_duration_seconds_count{type="${QUERY}",outcome="failed"}`, 1);
  });

  it('count publishes by whether the broker has the message', async () => {
    const message = { exchange: NAMES.retry, routingKey: 'no such queue', body: '{}', properties: {} };
    await expect(app.get(Publisher).send(message)).rejects.toThrow();
    await becomes(`messaging_messages_published_total{exchange="${NAMES.retry}",outcome="unroutable"}`, 1);
    expect(await valueOf(`messaging_messages_published_total{exchange="${NAMES.dead}",outcome="confirmed"}`)).toBeGreaterThan(1);
  });

  it('tell how full each queue is and who consumes it, retry and dead-letter queues included', async () => {
    const dead = `messaging_queue_messages{queue="${deadQueueOf(WORK)}"}`;
    await waitFor(async () => (await valueOf(dead))! >= 4, 'the dead letters');
    expect(await valueOf(`messaging_queue_consumers{queue="${WORK}"}`)).toBe(1);
    expect(await valueOf(`messaging_queue_consumers{queue="${deadQueueOf(WORK)}"}`)).toBe(0);
    expect(await scrape()).toMatch(new RegExp(`^messaging_queue_messages\\{queue="${WORK}.retry.5s"\\} 0$`, 'm'));
    expect(await scrape()).not.toContain(`messaging_queue_consumers{queue="${WORK}.retry`);
    expect(await valueOf('messaging_broker_connected')).toBe(1);
  });

  it('tell how much waits in the outbox and for how long', async () => {
    const dataSource = app.get(DataSource);
    const batch = app.get(Outbox).prepare([{ type: COMMAND, data: { text: 'fine' } }]);
    await dataSource.query(app.get(Outbox).insertSql('$1'), [batch.parameter]);
    await dataSource.query(
      `UPDATE notes.outbox SET created_at = now() - interval '90 seconds', next_attempt_at = now() + interval '1 hour'`,
    );
    await becomes('messaging_outbox_messages', 1);
    const age = await valueOf('messaging_outbox_oldest_age_seconds');
    expect(age).toBeGreaterThanOrEqual(90);
    expect(age).toBeLessThan(120);
  });

  it('are still told while the database is away, without what only it knows, and all of it again afterwards', async () => {
    await toDatabase.cut();
    await becomes('metrics_source_up{source="outbox"}', 0);
    const text = await scrape();
    expect(text).toContain(handled('done', ''));
    expect(text).not.toMatch(/^messaging_outbox_messages /m);
    await toDatabase.restore();
    await becomes('metrics_source_up{source="outbox"}', 1);
    await becomes('messaging_outbox_messages', 1);
  });
});
