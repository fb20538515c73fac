import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { connect } from './connect';
import { dataSourceOptions, type MigrationClass, type SessionLimits } from './settings';

export interface MigrationOptions {
  readonly url: string;
  readonly caFile?: string | undefined;
  readonly schema: string;
  readonly migrations: readonly MigrationClass[];
  readonly applicationName?: string;
  /** The name of the last migration to run; all where not given. */
  readonly to?: string | undefined;
}

/** A migration may work for long, but it must not queue for a table for long: everyone else queues behind it. */
const MIGRATION_LIMITS: SessionLimits = { statement: 0, lock: 30_000, idleInTransaction: 0 };

const LOCK_POLL_MS = 100;
const LOCK_PATIENCE_MS = 300_000;

/**
 * Brings the schema up to date, creating it where it is missing, and returns the names of the migrations that it ran.
 * However many processes do this at once, each migration runs once: the others wait for the one that holds the lock.
 * Each migration is a transaction of its own, so that a failure leaves those before it done.
 * @throws Error also where there is no migration `to`
 */
export async function runMigrations(options: MigrationOptions): Promise<string[]> {
  const { url, caFile, schema, applicationName = `${schema}-migrate` } = options;
  const migrations = upTo(options.to, options.migrations);
  const dataSource = await connect(dataSourceOptions({ url, caFile, schema, applicationName, migrations, poolSize: 2 }, MIGRATION_LIMITS));
  try {
    return await underLock(dataSource, schema, (runner) => migrate(dataSource, schema, runner));
  } finally {
    await dataSource.destroy();
  }
}

/** The names that the database keeps, in the order in which TypeORM runs them: that of the timestamps at their ends. */
export function migrationNames(migrations: readonly MigrationClass[]): string[] {
  return migrations.map(nameOf).sort((a, b) => timestampOf(a) - timestampOf(b));
}

function upTo(last: string | undefined, migrations: readonly MigrationClass[]): readonly MigrationClass[] {
  if (last === undefined) return migrations;
  if (!migrations.some((migration) => nameOf(migration) === last)) throw new Error(`there is no migration ${last}`);
  return migrations.filter((migration) => timestampOf(nameOf(migration)) <= timestampOf(last));
}

const nameOf = (migration: MigrationClass): string => new migration().name ?? migration.name;
const timestampOf = (name: string): number => Number(name.slice(-13));

async function migrate(dataSource: DataSource, schema: string, runner: QueryRunner): Promise<string[]> {
  // Looked for first: IF NOT EXISTS asks for the right to create even where there is nothing to create.
  const found = (await runner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])) as unknown[];
  if (found.length === 0) await runner.query(`CREATE SCHEMA ${dataSource.driver.escape(schema)}`);
  // On the connection that holds the lock: should it break, the lock and the migration in hand end together.
  const executor = new MigrationExecutor(dataSource, runner);
  executor.transaction = 'each';
  const done = await executor.executePendingMigrations();
  return done.map(({ name }) => name);
}

/** Polls rather than waits: a waiting statement holds a snapshot, which CREATE INDEX CONCURRENTLY would wait for in turn. */
async function underLock<T>(dataSource: DataSource, schema: string, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const key = `migrations of ${schema}`;
  const runner = dataSource.createQueryRunner();
  try {
    const giveUpAt = performance.now() + LOCK_PATIENCE_MS;
    while (!(await ask(runner, 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS yes', key))) {
      if (performance.now() > giveUpAt) throw new Error(`another process has been migrating ${schema} for ${LOCK_PATIENCE_MS / 1_000} s`);
      await sleep(LOCK_POLL_MS);
    }
    try {
      return await work(runner);
    } finally {
      // A failure here means that the connection is gone, and the lock with it; it must not hide the work's own error.
      await ask(runner, 'SELECT pg_advisory_unlock(hashtextextended($1, 0)) AS yes', key).catch(() => false);
    }
  } finally {
    await runner.release();
  }
}

async function ask(runner: QueryRunner, question: string, key: string): Promise<boolean> {
  const [row] = (await runner.query(question, [key])) as { yes: boolean }[];
  return row?.yes === true;
}
