import { type AddressInfo, connect as dial, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConsoleLogger, Logger, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Pool } from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import { databaseIndicator, inTransaction, isLockTimeout, isTransientDatabaseError, isUniqueViolation } from '../src';
import { databaseModule } from '../src/database';
import { runMigrations } from '../src/migrations';
import { createTestDatabase, type TestDatabase } from './test-database';

class CreateItems1700000000001 implements MigrationInterface {
  name = 'CreateItems1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE items (id int CONSTRAINT items_pk PRIMARY KEY, value int NOT NULL DEFAULT 0)');
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}
const migrations = [CreateItems1700000000001];

describe('the database of a service', () => {
  let database: TestDatabase;
  const opened: { close(): Promise<void> }[] = [];

  beforeAll(() => Logger.overrideLogger(false));
  beforeEach(async () => (database = await createTestDatabase()));
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    await database.drop();
  });

  async function open(url = database.url): Promise<DataSource> {
    const { schema } = database;
    @Module({ imports: [databaseModule({ url, schema, poolSize: 4, applicationName: 'sample-service', migrations })] })
    class SampleModule {}
    const app = await Test.createTestingModule({ imports: [SampleModule] })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    opened.push(app);
    return app.get(DataSource);
  }

  async function openMigrated(): Promise<DataSource> {
    await runMigrations({ url: database.url, schema: database.schema, migrations });
    return open();
  }

  it('prepares a statement once a connection, unless its columns are whatever the table has', async () => {
    const dataSource = await openMigrated();
    const product = 'SELECT count(*)::int AS n FROM items WHERE id < 2 * $1';
    await dataSource.transaction(async (manager) => {
      for (const id of [1, 2, 3]) await manager.query('INSERT INTO items (id) VALUES ($1)', [id]);
      expect(await manager.query(product, [1])).toEqual([{ n: 1 }]);
      for (const columns of [
        '*',
        'i.*',
        '1, *',
        'DISTINCT *',
        'ALL *',
        'DISTINCT ON (id) *',
        'distinct on (lower(id::text))\n*',
        '/* all */ *',
        'i. *',
      ]) {
        expect(await manager.query(`SELECT ${columns} FROM items i WHERE id > $1`, [1])).toHaveLength(2);
      }
      expect(await manager.query('UPDATE items SET value = id * $1 RETURNING *', [2])).toMatchObject([{ length: 3 }, 3]);
      expect(await manager.query('SELECT statement FROM pg_prepared_statements ORDER BY prepare_time')).toEqual([
        { statement: 'INSERT INTO items (id) VALUES ($1)' },
        { statement: product },
      ]);
    });
  });

  it('prepares a statement anew that a migration has made stale, and says that it may be tried again', async () => {
    const dataSource = await openMigrated();
    const runner = dataSource.createQueryRunner();
    try {
      const ask = () => runner.query('SELECT value FROM items WHERE id > $1', [0]);
      await runner.query('INSERT INTO items (id, value) VALUES ($1, $2)', [1, 7]);
      expect(await ask()).toEqual([{ value: 7 }]);
      await runner.query('ALTER TABLE items ALTER COLUMN value TYPE text');
      const refused: unknown = await ask().catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Error);
      expect(isTransientDatabaseError(refused)).toBe(true);
      expect(await ask()).toEqual([{ value: '7' }]);
    } finally {
      await runner.release();
    }
  });

  it('outlives a connection that the server ends while it is between the pool and its user', async () => {
    const dataSource = await openMigrated();
    // As a query runner gets it, before it has begun to listen: nobody hears what the connection says now.
    const pool = (dataSource.driver as PostgresDriver).master as Pool;
    const client = await pool.connect();
    try {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      // Not `once` of node:events, which would listen to errors.
      const ended = new Promise<void>((resolve) => client.on('end', () => resolve()));
      await dataSource.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
      await ended;
      await expect(client.query('SELECT 1')).rejects.toThrow();
    } finally {
      client.release(true);
    }
    expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is used with the schema, the limits and the name that it was given', async () => {
    const dataSource = await openMigrated();
    const show = async (name: string) => Object.values((await dataSource.query(`SHOW ${name}`))[0])[0];
    expect(await show('search_path')).toBe('sample');
    expect(await show('default_transaction_isolation')).toBe('read committed');
    expect(await show('statement_timeout')).toBe('15s');
    expect(await show('lock_timeout')).toBe('5s');
    expect(await show('idle_in_transaction_session_timeout')).toBe('30s');
    expect(await show('application_name')).toBe('sample-service');
    expect(await show('timezone')).toBe('UTC');
  });

  it('is waited for until someone has migrated it', async () => {
    let ready = false;
    const opening = open().then((dataSource) => {
      ready = true;
      return dataSource;
    });
    await sleep(300);
    expect(ready).toBe(false);
    await runMigrations({ url: database.url, schema: database.schema, migrations });
    await expect((await opening).query('SELECT * FROM items')).resolves.toEqual([]);
  });

  it('is waited for when it comes late', async () => {
    await runMigrations({ url: database.url, schema: database.schema, migrations });
    const proxy = await proxyTo(new URL(database.url));
    await proxy.stop();
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const opening = open(url.toString());
    await sleep(300);
    await proxy.start();
    await expect((await opening).query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    await opened.pop()?.close();
    await proxy.stop();
  });

  it('is not waited for when the password is wrong', async () => {
    const url = new URL(database.url);
    url.password = 'wrong';
    await expect(open(url.toString())).rejects.toThrow('password authentication failed');
  });

  it('may cut every connection without ending the process, and answers again', async () => {
    const dataSource = await openMigrated();
    await Promise.all([1, 2, 3].map(() => dataSource.query('SELECT pg_sleep(0.05)')));
    const busy = dataSource.query('SELECT pg_sleep(10)').catch((error: unknown) => error);
    let began = (): void => undefined;
    let wasCut = (): void => undefined;
    const begun = new Promise<void>((resolve) => (began = resolve));
    const cut = new Promise<void>((resolve) => (wasCut = resolve));
    const inHand = inTransaction(dataSource, async (manager) => {
      await manager.query('SELECT 1');
      began();
      await cut;
      await manager.query('SELECT 2');
    }).catch((error: unknown) => error);
    await begun;
    await database.admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sample-service'`);
    wasCut();
    expect(isTransientDatabaseError(await busy)).toBe(true);
    expect(isTransientDatabaseError(await inHand)).toBe(true);
    // A connection that was idle may not have heard of its end yet: that is transient, too, and there are three of them.
    const answers: unknown[] = [];
    for (let n = 0; n < 4; n += 1) answers.push(await dataSource.query('SELECT 1 AS one').catch((error: unknown) => error));
    for (const answer of answers.filter((each) => each instanceof Error)) expect(isTransientDatabaseError(answer)).toBe(true);
    expect(answers.at(-1)).toEqual([{ one: 1 }]);
  });

  it('is told by its indicator', async () => {
    const dataSource = await openMigrated();
    const indicator = databaseIndicator(dataSource);
    await expect(indicator.check()).resolves.toBeUndefined();
    await opened.pop()?.close();
    await expect(indicator.check()).rejects.toThrow();
  });

  it('refuses a second row of one key with an error that names the constraint', async () => {
    const dataSource = await openMigrated();
    await dataSource.query('INSERT INTO items (id) VALUES (1)');
    const error: unknown = await dataSource.query('INSERT INTO items (id) VALUES (1)').catch((caught: unknown) => caught);
    expect(isUniqueViolation(error, 'items_pk')).toBe(true);
  });

  it('lets nobody wait for a locked row for ever', async () => {
    const dataSource = await openMigrated();
    await dataSource.query('INSERT INTO items (id) VALUES (1)');
    await inTransaction(dataSource, async (holder) => {
      await holder.query('SELECT * FROM items WHERE id = 1 FOR UPDATE');
      const error: unknown = await inTransaction(dataSource, async (waiter) => {
        await waiter.query(`SET LOCAL lock_timeout = '50ms'`);
        await waiter.query('SELECT * FROM items WHERE id = 1 FOR UPDATE');
      }).catch((caught: unknown) => caught);
      expect(isLockTimeout(error)).toBe(true);
      expect(isTransientDatabaseError(error)).toBe(true);
    });
  });

  it('loses no update of concurrent serializable transactions', async () => {
    const dataSource = await openMigrated();
    await dataSource.query('INSERT INTO items (id) VALUES (1)');
    const addOne = () =>
      inTransaction(
        dataSource,
        async (manager) => {
          const [{ value }] = await manager.query('SELECT value FROM items WHERE id = 1');
          await manager.query('UPDATE items SET value = $1 WHERE id = 1', [Number(value) + 1]);
        },
        { isolation: 'SERIALIZABLE', attempts: 10 },
      );
    await Promise.all([addOne(), addOne(), addOne(), addOne()]);
    await expect(dataSource.query('SELECT value FROM items')).resolves.toEqual([{ value: 4 }]);
  });

  it('lets both of two transactions that deadlock succeed', async () => {
    const dataSource = await openMigrated();
    await dataSource.query('INSERT INTO items (id) VALUES (1), (2)');
    const lockBoth = (first: number, second: number) =>
      inTransaction(dataSource, async (manager) => {
        await manager.query('UPDATE items SET value = value + 1 WHERE id = $1', [first]);
        await sleep(100);
        await manager.query('UPDATE items SET value = value + 1 WHERE id = $1', [second]);
      });
    await Promise.all([lockBoth(1, 2), lockBoth(2, 1)]);
    await expect(dataSource.query('SELECT value FROM items ORDER BY id')).resolves.toEqual([{ value: 2 }, { value: 2 }]);
  });

  it('leaves nothing of a transaction whose work throws', async () => {
    const dataSource = await openMigrated();
    const failure = new Error('changed my mind');
    const work = inTransaction(dataSource, async (manager) => {
      await manager.query('INSERT INTO items (id) VALUES (1)');
      throw failure;
    });
    await expect(work).rejects.toBe(failure);
    await expect(dataSource.query('SELECT * FROM items')).resolves.toEqual([]);
  });
});

/** A way to the database that can be closed and opened again on the same port. */
async function proxyTo(target: URL) {
  let server: Server;
  const sockets = new Set<Socket>();
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server = createServer((near) => {
        const far = dial(Number(target.port), target.hostname);
        for (const socket of [near, far]) {
          sockets.add(socket);
          socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
        }
        near.pipe(far).pipe(near);
      });
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server!.address() as AddressInfo;
  return {
    port,
    start: () => listen(port),
    stop: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
