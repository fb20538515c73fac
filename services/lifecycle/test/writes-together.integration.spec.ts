import { dataSourceOptions } from '@reprise/platform/database';
import { DataSource } from 'typeorm';
import { TestDatabase, waitFor } from '../../../libs/messaging/test/support';
import { OneStatement } from '../src/transactions/one-statement';
import { UnitOfWork } from '../src/transactions/unit-of-work';
import { WritesTogether } from '../src/transactions/writes-together';
import { SCHEMA } from '../src/migrations';

interface Row {
  id: string;
  version: number;
  note: string;
  writer: string;
}

let database: TestDatabase;
let connection: DataSource;
let others: DataSource;
let writes: WritesTogether;

beforeAll(async () => {
  database = await TestDatabase.create();
  others = await database.connect(SCHEMA);
  // Nothing that waits ends by itself: only a limit of its own makes a shared statement give a lock up.
  const limits = { statement: 0, lock: 0, idleInTransaction: 0 };
  connection = await new DataSource(dataSourceOptions({ url: database.url, schema: SCHEMA, applicationName: 'test' }, limits)).initialize();
  await connection.query('CREATE TABLE things (id text PRIMARY KEY, version int NOT NULL, note json)');
  await connection.query('CREATE TABLE notes (id text PRIMARY KEY)');
});

beforeEach(async () => {
  writes = new WritesTogether(new UnitOfWork(connection));
  await connection.query('TRUNCATE things, notes');
  await connection.query(`INSERT INTO things SELECT 't' || n, 1, '{}' FROM generate_series(1, 9) n`);
});

afterAll(async () => {
  await connection?.destroy();
  await others?.destroy();
  await database?.drop();
});

/** A change of a thing as it was loaded, and a note of it, which takes some seconds to write down. */
function change(id: string, { version = 1, note = '"changed"', noted = id, takes = 0 } = {}): OneStatement {
  return new OneStatement()
    .add(
      'thing',
      (bind) =>
        `UPDATE things SET version = version + 1, note = ${bind(note)}::json WHERE id = ${bind(id)} AND version = ${bind(version)} RETURNING 1`,
      1,
    )
    .add('note', (bind) => `INSERT INTO notes (id) SELECT ${bind(noted)} FROM pg_sleep(${bind(takes)}) RETURNING 1`, 1);
}

const all = (...statements: OneStatement[]): Promise<PromiseSettledResult<boolean>[]> =>
  Promise.allSettled(statements.map((each) => writes.write(each)));

/** Those that were changed, with the transaction that changed them. */
async function changed(): Promise<Row[]> {
  return others.query<Row[]>(`SELECT id, version, xmin::text AS writer FROM "${SCHEMA}".things WHERE version > 1 ORDER BY id`);
}

const idsOf = (rows: readonly Row[]): string[] => rows.map(({ id }) => id);
const written = { status: 'fulfilled', value: true };

/** How many of those that were changed were changed by the same transaction, from the fewest. */
async function sizes(): Promise<number[]> {
  const writers = (await changed()).map(({ writer }) => writer);
  return [...new Set(writers)].map((one) => writers.filter((each) => each === one).length).sort();
}

/** Processes of the server that a change sleeps in. */
const SLEEPING = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`;
const sleeping = async (): Promise<boolean> => (await others.query<unknown[]>(SLEEPING)).length > 0;

describe('guarded writes', () => {
  it('that come at the same time are one transaction, of four of them at most', async () => {
    const outcomes = await all(...Array.from({ length: 9 }, (_, at) => change(`t${at + 1}`)));
    expect(outcomes).toEqual(Array(9).fill(written));
    expect(await sizes()).toEqual([1, 4, 4]);
  });

  it('that come one after the other are one each', async () => {
    await writes.write(change('t1'));
    await writes.write(change('t2'));
    expect(await sizes()).toEqual([1, 1]);
  });

  it('tell only the one whose row has been written since that it was not written', async () => {
    const outcomes = await all(change('t1'), change('t2', { version: 7 }), change('t3'));
    expect(outcomes).toEqual([written, { status: 'fulfilled', value: false }, written]);
    expect(idsOf(await changed())).toEqual(['t1', 't3']);
    expect(await connection.query('SELECT id FROM notes ORDER BY id')).toEqual([{ id: 't1' }, { id: 't3' }]);
  });

  it('write one of two on the same row, and tell the other', async () => {
    const outcomes = await all(change('t1'), change('t1', { noted: 'other' }), change('t2'));
    expect(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value).filter(Boolean)).toHaveLength(2);
    expect(outcomes).toContainEqual({ status: 'fulfilled', value: false });
    expect((await changed()).map(({ id, version }) => ({ id, version }))).toEqual([
      { id: 't1', version: 2 },
      { id: 't2', version: 2 },
    ]);
  });

  it.each([
    ['cannot be read', { note: 'no json' }, /invalid input syntax/],
    ['takes what another has', { noted: 'taken' }, /duplicate key/],
  ])('fail for one that %s, and for no other', async (_, wrong, message) => {
    await connection.query(`INSERT INTO notes VALUES ('taken')`);
    const [first, second, third] = await all(change('t1'), change('t2', wrong), change('t3'));
    expect([first, third]).toEqual([written, written]);
    expect(second).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(message) as unknown } });
    expect(idsOf(await changed())).toEqual(['t1', 't3']);
  });

  it('are written and told while another one waits for its lock', async () => {
    const holder = connection.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`SELECT FROM things WHERE id = 't2' FOR UPDATE`);
    let stuck: Promise<boolean> | undefined;
    try {
      const first = writes.write(change('t1'));
      stuck = writes.write(change('t2'));
      expect(await Promise.all([first, writes.write(change('t3'))])).toEqual([true, true]);
      expect(idsOf(await changed())).toEqual(['t1', 't3']);
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    expect(await stuck).toBe(true);
    expect(idsOf(await changed())).toEqual(['t1', 't2', 't3']);
  });

  it('fail alike when the database goes away', async () => {
    const outcomes = all(change('t1', { takes: 10 }), change('t2'));
    await waitFor(sleeping, 'the change to sleep');
    await others.query(`SELECT pg_terminate_backend(pid) FROM (${SLEEPING}) s`);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await changed()).toEqual([]);
  });
});
