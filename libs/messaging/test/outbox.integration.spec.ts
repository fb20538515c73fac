import type { INestApplication } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AmqpConnection, Outbox, OutboxRelay, Publisher, UnroutableError } from '../src';
import { COMMAND, EVENT, SCHEMA, startApp, WORK } from './support/fixture';
import { TcpProxy, TestBroker, TestDatabase, waitFor } from './support';

describe('the outbox', () => {
  let broker: TestBroker;
  let database: TestDatabase;
  let app: INestApplication;
  let dataSource: DataSource;
  let outbox: Outbox;

  beforeEach(async () => {
    [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
    app = await startApp(broker, { database, consumers: [], outboxSweepMs: 100 });
    await broker.channel.assertQueue(WORK, { durable: true });
    await broker.channel.bindQueue(WORK, 't.commands', COMMAND);
    dataSource = app.get(DataSource);
    outbox = app.get(Outbox);
    await waitFor(() => app.get(Publisher).isReady(), 'the publisher');
  });

  afterEach(async () => {
    await app?.close();
    await Promise.all([broker?.drop(), database?.drop()]);
  });

  const message = (id: string, type = COMMAND) => ({ id, type, data: { text: id }, subject: 'ws_1' });
  const append = (...ids: string[]) =>
    dataSource.transaction((manager) =>
      outbox.append(
        manager,
        ids.map((id) => message(id)),
      ),
    );
  const rows = (): Promise<{ attempts: number; last_error: string; due: boolean }[]> =>
    dataSource.query(`SELECT attempts, last_error, next_attempt_at > now() AS later FROM ${SCHEMA}.outbox`);
  const empty = () => waitFor(async () => (await rows()).length === 0, 'the outbox to be empty');
  const makeDue = () => dataSource.query(`UPDATE ${SCHEMA}.outbox SET next_attempt_at = now()`);

  it('is published as soon as the transaction has committed, and emptied', async () => {
    const sweep = jest.spyOn(app.get(OutboxRelay), 'sweep').mockResolvedValue();
    await append('a', 'b', 'c');
    const got = [await broker.take(WORK), await broker.take(WORK), await broker.take(WORK)];
    expect(got.map(({ properties }) => properties.messageId)).toEqual(['a', 'b', 'c']);
    expect(got[0]!.properties).toMatchObject({ type: COMMAND, contentType: 'application/json', deliveryMode: 2, appId: 'notes' });
    expect(got[0]!.properties.userId).toBe(app.get(AmqpConnection).user);
    expect(got[0]!.properties.headers).toMatchObject({
      cloudEvents_specversion: '1.0',
      cloudEvents_source: 'notes',
      cloudEvents_subject: 'ws_1',
    });
    await empty();
    sweep.mockRestore();
  });

  it('tells nothing of a transaction that was rolled back', async () => {
    const failing = dataSource.transaction(async (manager) => {
      await outbox.append(manager, [message('never')]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await append('after');
    expect((await broker.take(WORK)).properties.messageId).toBe('after');
    expect(await broker.count(WORK)).toBe(0);
  });

  it('tells nothing of a transaction that failed although its error was swallowed', async () => {
    await dataSource.transaction(async (manager) => {
      await outbox.append(manager, [message('never')]);
      await manager.query('SELECT 1 / 0').catch(() => undefined);
    });
    await append('after');
    expect((await broker.take(WORK)).properties.messageId).toBe('after');
    expect(await broker.count(WORK)).toBe(0);
  });

  it('keeps a message that has no queue, with the error, and publishes it when there is one', async () => {
    await dataSource.transaction((manager) => outbox.append(manager, [message('lost', EVENT), message('fine')]));
    expect((await broker.take(WORK)).properties.messageId).toBe('fine');
    const [row] = await waitFor(async () => {
      const found = await rows();
      return found[0]?.attempts && found;
    }, 'the failed attempt');
    expect(row).toMatchObject({ later: true });
    expect(row!.last_error).toContain(EVENT);
    await expect(app.get(Publisher).publish(message('direct', EVENT))).rejects.toThrow(UnroutableError);

    await broker.channel.assertQueue('notes.events');
    await broker.channel.bindQueue('notes.events', 't.events', EVENT);
    await makeDue();
    expect((await broker.take('notes.events')).properties.messageId).toBe('lost');
    await empty();
  });

  it('is swept of what a crash left between the commit and the publish', async () => {
    // What a process that was killed right after its commit leaves behind.
    const batch = outbox.prepare([message('left-1'), message('left-2')]);
    await dataSource.query(outbox.insertSql('$1'), [batch.parameter]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await broker.count(WORK)).toBe(0);
    const first = await broker.take(WORK);
    expect(first.properties).toMatchObject({ messageId: 'left-1', type: COMMAND });
    expect(first.content.toString()).toBe(batch.rows[0]!.message.body);
    expect((await broker.take(WORK)).properties.messageId).toBe('left-2');
    await empty();
  });

  it('is published by hand after a statement of its own', async () => {
    const batch = outbox.prepare([message('own')]);
    await dataSource.query(`WITH yes AS (SELECT 1), sent AS (${outbox.insertSql('$1', 'EXISTS (SELECT FROM yes)')}) SELECT 1`, [
      batch.parameter,
    ]);
    app.get(OutboxRelay).wake(batch);
    expect((await broker.take(WORK, 2_000)).properties.messageId).toBe('own');
    await empty();
  });

  it('loses nothing when the connection is lost under load, and nothing while it is away', async () => {
    const way = await TcpProxy.to(broker.url);
    const cut = await startApp(broker, { database, consumers: [], outboxSweepMs: 100, source: 'notes-2', url: way.through(broker.url) });
    await waitFor(() => cut.get(Publisher).isReady(), 'the publisher');
    const sent: string[] = [];
    const send = async (count: number): Promise<void> => {
      const ids = Array.from({ length: count }, () => `m-${sent.length + Math.random()}`);
      sent.push(...ids);
      await cut.get(DataSource).transaction((manager) =>
        cut.get(Outbox).append(
          manager,
          ids.map((id) => message(id)),
        ),
      );
    };
    for (let i = 0; i < 20; i++) await send(20);
    await Promise.all([send(200), way.cut(), send(200)]);
    await send(20);
    await way.restore();
    await empty();

    const got = new Set<string>();
    await broker.channel.consume(WORK, (m) => void got.add(m!.properties.messageId), { noAck: true });
    await waitFor(() => got.size === sent.length, 'every message');
    await cut.close();
    await way.cut();
  });

  it('may be swept by several replicas at once without publishing a row twice', async () => {
    const other = await startApp(broker, { database, consumers: [], outboxSweepMs: 50, source: 'notes-2' });
    await waitFor(() => other.get(Publisher).isReady(), 'the other publisher');
    const batch = outbox.prepare(Array.from({ length: 1_000 }, (_, i) => message(`m-${i}`)));
    await dataSource.query(outbox.insertSql('$1'), [batch.parameter]);
    await makeDue();
    await empty();
    expect(await broker.count(WORK)).toBe(1_000);
    await other.close();
  });
});
