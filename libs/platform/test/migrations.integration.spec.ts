import { Logger } from '@nestjs/common';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { MigrationConfig } from '../src';
import { migrateMain, runMigrations } from '../src/migrations';
import { createTestDatabase, type TestDatabase } from './test-database';

class CreateItems1700000000001 implements MigrationInterface {
  name = 'CreateItems1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    // Long enough for a second process to arrive in the middle.
    await runner.query('SELECT pg_sleep(0.2)');
    await runner.query('CREATE TABLE items (id int PRIMARY KEY)');
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}

class AddName1700000000002 implements MigrationInterface {
  name = 'AddName1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE items ADD COLUMN name text');
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}

class Broken1700000000003 implements MigrationInterface {
  static repaired = false;
  name = 'Broken1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE half_done (id int)');
    if (!Broken1700000000003.repaired) await runner.query('CREATE TABLE oops (');
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}

describe('migrations', () => {
  let database: TestDatabase;
  beforeAll(() => Logger.overrideLogger(false));
  beforeEach(async () => (database = await createTestDatabase()));
  afterEach(() => database.drop());

  const tables = async () =>
    (await database.admin(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'sample' ORDER BY 1`)).map(
      ({ name }) => name,
    );
  const both = [CreateItems1700000000001, AddName1700000000002];

  it('run once each when several processes start at the same time', async () => {
    const { url, schema } = database;
    const done = await Promise.all([1, 2, 3].map(() => runMigrations({ url, schema, migrations: both })));
    expect(done.flat().sort()).toEqual(['AddName1700000000002', 'CreateItems1700000000001']);
    expect(await database.admin('SELECT name FROM sample.migrations ORDER BY id')).toEqual([
      { name: 'CreateItems1700000000001' },
      { name: 'AddName1700000000002' },
    ]);
  });

  it('need no right but that on the schema, and leave everything in it', async () => {
    const { url, schema } = database;
    await runMigrations({ url, schema, migrations: both });
    expect(await tables()).toEqual(['items', 'migrations']);
    expect(await database.admin(`SELECT 1 FROM information_schema.tables WHERE table_schema = 'public'`)).toEqual([]);
  });

  it('create the schema where the role may', async () => {
    const { url } = database;
    const role = new URL(url).username;
    await database.admin(`GRANT CREATE ON DATABASE ${role} TO ${role}`);
    await runMigrations({ url, schema: 'another', migrations: both });
    expect(await database.admin('SELECT count(*)::int AS n FROM another.migrations')).toEqual([{ n: 2 }]);
  });

  it('that fail leave those before them done and nothing of themselves, and go on from there', async () => {
    const { url, schema } = database;
    const migrations = [...both, Broken1700000000003];
    Broken1700000000003.repaired = false;
    await expect(runMigrations({ url, schema, migrations })).rejects.toThrow('syntax error');
    expect(await tables()).toEqual(['items', 'migrations']);
    Broken1700000000003.repaired = true;
    await expect(runMigrations({ url, schema, migrations })).resolves.toEqual(['Broken1700000000003']);
  });

  it('end with the one that is named, go on from there, and refuse a name that there is not', async () => {
    const { url, schema } = database;
    const to = (last?: string) => runMigrations({ url, schema, migrations: both, to: last });
    await expect(to('Unknown1700000000002')).rejects.toThrow('there is no migration Unknown1700000000002');
    await expect(to('CreateItems1700000000001')).resolves.toEqual(['CreateItems1700000000001']);
    await expect(to()).resolves.toEqual(['AddName1700000000002']);
  });

  describe('migrateMain', () => {
    let codes: unknown[];
    let exit: jest.SpyInstance;
    beforeEach(() => {
      codes = [];
      exit = jest.spyOn(process, 'exit').mockImplementation((code) => {
        codes.push(code);
        return undefined as never;
      });
    });
    afterEach(() => exit.mockRestore());

    const configFor = (databaseUrl: string): MigrationConfig =>
      Object.assign(new MigrationConfig(), { databaseUrl, logLevel: 'silent', logFormat: 'json' });

    it('exits with 0 when the schema is up to date', async () => {
      const { schema } = database;
      for (let time = 0; time < 2; time += 1) {
        await migrateMain({ service: 'sample', schema, migrations: both, config: configFor(database.url) });
      }
      expect(codes).toEqual([0, 0]);
    });

    it('exits with 1 when it cannot be', async () => {
      const url = new URL(database.url);
      url.password = 'wrong';
      await migrateMain({ service: 'sample', schema: database.schema, migrations: both, config: configFor(url.toString()) });
      expect(codes).toEqual([1]);
    });
  });
});
