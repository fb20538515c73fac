import { Logger } from '@nestjs/common';
import { MigrationConfig } from '../config/database.config';
import { loadConfig } from '../config/load-config';
import { createLogger } from '../logging/logger';
import { makeStacksReadable } from '../logging/readable-stacks';
import { ServiceLogger } from '../logging/service-logger';
import { migrationNames, runMigrations } from './migrations';
import type { MigrationClass } from './settings';

export interface MigrateOptions {
  readonly service: string;
  readonly schema: string;
  readonly migrations: readonly MigrationClass[];
  /** Read from the environment where not given. */
  readonly config?: MigrationConfig;
}

/**
 * The whole of a service's `migrate.js`: migrates, says in one line what came of it, and exits with 0 or 1. With `--list` it prints the names of its
 * migrations as JSON instead, and needs no settings.
 */
export async function migrateMain(options: MigrateOptions): Promise<never> {
  makeStacksReadable();
  const { service, schema, migrations } = options;
  if (process.argv.includes('--list')) {
    process.stdout.write(`${JSON.stringify(migrationNames(migrations))}\n`);
    return process.exit(0);
  }
  const config = options.config ?? loadConfig(MigrationConfig, process.env, service);
  const logger = createLogger({ name: service, level: config.logLevel, format: config.logFormat });
  Logger.overrideLogger(new ServiceLogger(logger));
  try {
    const { databaseUrl: url, databaseCaFile: caFile, migrateTo: to } = config;
    const done = await runMigrations({ url, caFile, schema, migrations, to, applicationName: `${service}-migrate` });
    const what = done.length === 0 ? 'nothing to do' : `ran ${done.join(', ')}`;
    logger.info({ schema, migrations: done }, `schema ${schema} is ${to === undefined ? 'up to date' : `at ${to}`}: ${what}`);
    return process.exit(0);
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? error.message : String((error as { code?: unknown }).code ?? error);
    // A fatal line is flushed before `fatal` returns.
    logger.fatal({ schema }, `schema ${schema} could not be migrated: ${reason}`);
    return process.exit(1);
  }
}
