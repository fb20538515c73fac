import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DataSource, MigrationExecutor, type DataSourceOptions } from 'typeorm';
import { redactText } from '../logging/redact';
import { certificateProblem } from '../tls/certificate-problem';
import { isTransientDatabaseError } from './errors';

/** The database lacks migrations that the running code was written for. */
export class MigrationsPendingError extends Error {
  constructor(names: readonly string[]) {
    super(`the database lacks ${names.length} migration${names.length === 1 ? '' : 's'} (${names.join(', ')}); run the service's migrate`);
    this.name = 'MigrationsPendingError';
  }
}

export interface Patience {
  /** How long to wait for a database that is away, starting up, or not yet migrated. */
  readonly forMs: number;
  readonly everyMs: number;
}

const PATIENCE: Patience = { forMs: 60_000, everyMs: 1_000 };

/**
 * A data source that is connected. A database that comes late is waited for; a wrong password or a missing database is
 * thrown at once.
 * @param accept what else must be true of the database; a MigrationsPendingError is waited for as well
 */
export async function connect(
  options: DataSourceOptions,
  accept: (dataSource: DataSource) => Promise<void> = () => Promise.resolve(),
  patience: Patience = PATIENCE,
): Promise<DataSource> {
  const logger = new Logger('Database');
  const giveUpAt = performance.now() + patience.forMs;
  for (let attempt = 1; ; attempt += 1) {
    const dataSource = new DataSource(options);
    try {
      await dataSource.initialize();
      await accept(dataSource);
      return dataSource;
    } catch (error) {
      if (dataSource.isInitialized) await dataSource.destroy();
      const worthWaiting = isTransientDatabaseError(error) || error instanceof MigrationsPendingError;
      if (!worthWaiting || performance.now() + patience.everyMs > giveUpAt) throw withReason(error);
      if (attempt === 1) logger.warn(`waiting for the database: ${reasonOf(error)}`);
      await sleep(patience.everyMs);
    }
  }
}

/** For {@link connect}: the database has all migrations of the data source. Then nothing depends on the order of start. */
export async function migrated(dataSource: DataSource): Promise<void> {
  if (dataSource.migrations.length === 0) return;
  const pending = await new MigrationExecutor(dataSource).getPendingMigrations();
  if (pending.length > 0) throw new MigrationsPendingError(pending.map(({ name }) => name));
}

/** An untrusted certificate is a matter of the settings: whoever reads the line has to know which one. */
function withReason(error: unknown): unknown {
  const problem = certificateProblem(error, 'DATABASE_CA_FILE');
  return problem === undefined ? error : new Error(`the database cannot be trusted: ${problem}`, { cause: error });
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // Several addresses of one host fail as an AggregateError, whose own message is empty.
  return redactText(message !== '' ? message : String((error as { code?: unknown }).code));
}
