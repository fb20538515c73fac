import { Controller, type INestApplication } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { DataSource } from 'typeorm';
import { deadQueueOf, HEADER, Inbox, MessageContext, RefusedError, Requester } from '../src';
import { COMMAND, Note, properties, SCHEMA, startApp, WORK } from './support/fixture';
import { TcpProxy, TestBroker, TestDatabase, waitFor } from './support';

const calls: string[] = [];
let delay = 0;
const callsOf = (id: string): number => calls.filter((call) => call === id).length;

@Controller()
class Notes {
  constructor(
    private readonly dataSource: DataSource,
    private readonly inbox: Inbox,
  ) {}

  @MessagePattern(COMMAND)
  note(@Payload() { text }: Note, @Ctx() context: MessageContext): Promise<{ number: number }> {
    calls.push(context.id);
    return this.inbox.once(this.dataSource, context, async (manager) => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      if (text === 'refuse') throw new RefusedError({ code: 'no', message: 'No' });
      const [{ count }] = await manager.query(`INSERT INTO ${SCHEMA}.effects (message_id) VALUES ($1) RETURNING n AS count`, [context.id]);
      return { number: count as number };
    });
  }
}

describe('a message that comes more than once', () => {
  let broker: TestBroker;
  let database: TestDatabase;
  let way: TcpProxy;
  let app: INestApplication;

  beforeAll(async () => {
    [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
    way = await TcpProxy.to(database.url);
    database.url = way.through(database.url);
    app = await startApp(broker, { database, controllers: [Notes] });
    await app.get(DataSource).query(`CREATE TABLE ${SCHEMA}.effects (n serial, message_id text)`);
  });

  afterAll(async () => {
    await app?.close();
    await way?.cut();
    await Promise.all([broker?.drop(), database?.drop()]);
  });

  beforeEach(() => {
    delay = 0;
  });

  const send = (id: string, text: string) => broker.publish('t.commands', COMMAND, { text }, properties(COMMAND, id));
  const effectsOf = async (id: string): Promise<number> =>
    (await app.get(DataSource).query(`SELECT 1 FROM ${SCHEMA}.effects WHERE message_id = $1`, [id])).length;

  it('has one effect', async () => {
    for (let i = 0; i < 5; i++) await send('m-1', 'x');
    await waitFor(() => callsOf('m-1') === 5, 'all five');
    await waitFor(async () => (await effectsOf('m-1')) === 1, 'the effect');
    expect(await broker.count(deadQueueOf(WORK))).toBe(0);
  });

  it('has one effect and one answer when it is sent again while the first is still at work', async () => {
    delay = 500;
    const reply = await app
      .get(Requester)
      .request({ id: 'm-2', type: COMMAND, data: { text: 'x' } }, { deadlineMs: 5_000, resendEveryMs: 50 });
    expect(callsOf('m-2')).toBeGreaterThan(2);
    expect(await effectsOf('m-2')).toBe(1);
    delay = 0;
    // Later, as after a lost answer.
    expect(await app.get(Requester).request({ id: 'm-2', type: COMMAND, data: { text: 'x' } }, { deadlineMs: 5_000 })).toEqual(reply);
    expect(await effectsOf('m-2')).toBe(1);
  });

  it('is judged anew when it was refused', async () => {
    for (let i = 0; i < 2; i++) {
      const reply = await app.get(Requester).request({ id: 'm-3', type: COMMAND, data: { text: 'refuse' } }, { deadlineMs: 5_000 });
      expect(reply).toMatchObject({ status: 'refused' });
    }
    expect(callsOf('m-3')).toBe(2);
    expect(await app.get(DataSource).query(`SELECT 1 FROM ${SCHEMA}.inbox WHERE message_id = 'm-3'`)).toEqual([]);
  });

  it('is dead when its id was used for something else', async () => {
    await send('m-4', 'x');
    await waitFor(async () => (await effectsOf('m-4')) === 1, 'the first');
    await send('m-4', 'y');
    const dead = await broker.take(deadQueueOf(WORK));
    expect(dead.properties.headers).toMatchObject({ [HEADER.deadReason]: 'message_id_reused' });
    expect(await effectsOf('m-4')).toBe(1);
  });

  it('is forgotten when it is older than the retention', async () => {
    const dataSource = app.get(DataSource);
    await dataSource.query(
      `INSERT INTO ${SCHEMA}.inbox (consumer, message_id, body_hash, received_at)
       SELECT 'c', n::text, '', now() - make_interval(days => n) FROM generate_series(1, 50) AS n`,
    );
    expect(await app.get(Inbox).prune(dataSource, 30, 7)).toBe(21);
    expect(await app.get(Inbox).prune(dataSource, 30, 7)).toBe(0);
  });

  it('is held and not retried while the database is away, and handled when it is back', async () => {
    await way.cut();
    await send('m-5', 'x');
    await waitFor(() => callsOf('m-5') === 1, 'the first call');
    // All the retries that there are would be over by now.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(callsOf('m-5')).toBe(1);
    await way.restore();
    await waitFor(async () => (await effectsOf('m-5').catch(() => 0)) === 1, 'the effect');
    expect(await broker.count(deadQueueOf(WORK))).toBe(0);
  });
});
