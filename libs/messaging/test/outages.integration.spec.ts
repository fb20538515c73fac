import { Controller, type INestApplication } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { getDataSourceToken } from '@nestjs/typeorm';
import { databaseIndicator } from '@reprise/platform';
import { dataSourceOptions } from '@reprise/platform/database';
import { DataSource, QueryFailedError } from 'typeorm';
import { AmqpServer, deadQueueOf, Inbox, MessageContext, retryQueueOf } from '../src';
import { messagingMigration } from '../src/migration';
import { COMMAND, Note, properties, SCHEMA, SHORT, startApp, WORK } from './support/fixture';
import { TcpProxy, TestBroker, TestDatabase, waitFor } from './support';

const MESSAGES = 30;
let calls: string[] = [];

@Controller()
class Notes {
  constructor(
    private readonly inbox: Inbox,
    private readonly dataSource: DataSource,
  ) {}

  @MessagePattern(COMMAND)
  async note(@Payload() { text }: Note, @Ctx() context: MessageContext): Promise<void> {
    calls.push(context.id);
    if (text === 'poison') throw new QueryFailedError('', [], Object.assign(new Error('read-only'), { code: '25006' }));
    await this.inbox.once(this.dataSource, context, (manager) =>
      manager.query(`INSERT INTO ${SCHEMA}.effects (message_id) VALUES ($1)`, [context.id]),
    );
  }
}

describe('an outage of the database', () => {
  let broker: TestBroker;
  let database: TestDatabase;
  let admin: DataSource;
  let way: TcpProxy;
  let app: INestApplication;
  let role: string;

  beforeEach(async () => {
    calls = [];
    [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
    admin = await database.connect(SCHEMA, [messagingMigration(SCHEMA)]);
    role = `${database.name}_service`;
    await admin.query(`CREATE TABLE ${SCHEMA}.effects (message_id text)`);
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    await admin.query(`GRANT USAGE ON SCHEMA ${SCHEMA} TO ${role}`);
    await admin.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${SCHEMA} TO ${role}`);
    const url = new URL(database.url);
    [url.username, url.password] = [role, 'x'];
    way = await TcpProxy.to(url.href);
    app = await startApp(broker, {
      database: Object.assign(Object.create(database) as TestDatabase, { connect: () => service(way.through(url.href)) }),
      controllers: [Notes],
      infrastructure: { firstPauseMs: 10, maxPauseMs: 50, holdMs: 500 },
    });
  });

  afterEach(async () => {
    await app?.close();
    await way?.cut();
    await admin?.query(`DROP OWNED BY ${role}`);
    await admin?.query(`DROP ROLE ${role}`);
    await admin?.destroy();
    await Promise.all([broker?.drop(), database?.drop()]);
  });

  /** With the settings that every service has. */
  async function service(url: string): Promise<DataSource> {
    return new DataSource(dataSourceOptions({ url, schema: SCHEMA, applicationName: 'notes', poolSize: 5 })).initialize();
  }

  const server = (): AmqpServer => app.get(AmqpServer);
  const send = (id: string, text = 'x') => broker.publish('t.commands', COMMAND, { text }, properties(COMMAND, id));
  const ready = (): Promise<boolean> =>
    databaseIndicator(app.get<DataSource>(getDataSourceToken()), () => server().outage)
      .check()
      .then(
        () => true,
        () => false,
      );
  const applied = async (): Promise<number> => {
    const [row] = await admin.query<{ count: string }[]>(`SELECT count(*) FROM ${SCHEMA}.effects`);
    return Number(row?.count);
  };
  const endSessions = () => admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1`, [role]);
  const aside = async (): Promise<number> => {
    const queues = [deadQueueOf(WORK), ...SHORT.map(({ label }) => retryQueueOf(WORK, label))];
    return (await Promise.all(queues.map((queue) => broker.count(queue)))).reduce((sum, count) => sum + count, 0);
  };

  it.each<[string, { begin: () => Promise<unknown>; end: () => Promise<unknown> }]>([
    [
      'that is read-only',
      {
        begin: () => admin.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`).then(endSessions),
        // Present sessions stay as they are.
        end: () => admin.query(`ALTER ROLE ${role} RESET default_transaction_read_only`),
      },
    ],
    [
      'that has no connection left',
      {
        begin: () => admin.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`).then(endSessions),
        end: () => admin.query(`ALTER ROLE ${role} CONNECTION LIMIT -1`),
      },
    ],
    [
      'that lets nobody in',
      {
        begin: () => admin.query(`ALTER ROLE ${role} NOLOGIN`).then(endSessions),
        end: () => admin.query(`ALTER ROLE ${role} LOGIN`),
      },
    ],
    ['that is away', { begin: () => way.cut(), end: () => way.restore() }],
  ])('of one %s holds every message, is told by readiness, and puts nothing aside', async (_, { begin, end }) => {
    await begin();
    for (let i = 0; i < MESSAGES; i++) await send(`m-${i}`);
    await waitFor(() => server().outage, 'the outage to be noticed');
    expect(await ready()).toBe(false);
    // It lasts: what was in hand is given back, and the queue is not consumed any more.
    await waitFor(async () => (await broker.consumerCount(WORK)) === 0 && (await broker.count(WORK)) === MESSAGES, 'the queue to rest');
    const [called] = [calls.length];
    expect([await applied(), await aside(), server().isConsuming()]).toEqual([0, 0, true]);
    await end();
    await waitFor(async () => (await applied()) === MESSAGES, 'all effects');
    expect(await ready()).toBe(true);
    expect(await aside()).toBe(0);
    // Each was tried about once before the gate closed, and once after it.
    expect(called).toBeLessThanOrEqual(3 * MESSAGES);
    await waitFor(async () => (await broker.consumerCount(WORK)) === 1, 'the consumer again');
  });

  it('is not believed of one message alone: it becomes a dead letter, and those behind it are applied meanwhile', async () => {
    await send('poison', 'poison');
    for (let i = 0; i < MESSAGES; i++) await send(`m-${i}`);
    await waitFor(async () => (await applied()) === MESSAGES, 'those behind it');
    expect((await broker.take(deadQueueOf(WORK), 150_000)).properties.messageId).toBe('poison');
    expect(await ready()).toBe(true);
  }, 180_000);
});
