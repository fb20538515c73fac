import { Logger } from '@nestjs/common';
import { MigrationConfig } from '../config/database.config';
import { loadConfig } from '../config/load-config';
import { createLogger } from '../logging/logger';
import { makeStacksReadable } from '../logging/readable-stacks';
import { ServiceLogger } from '../logging/service-logger';
import { runMigrations } from './migrations';
import type { MigrationClass } from './settings';

export interface MigrateOptions {
  readonly service: string;
  readonly schema: string;
  readonly migrations: readonly MigrationClass[];
  /** Read from the environment where not given. */
  readonly config?: MigrationConfig;
}

/** The whole of a service's `migrate.js`: migrates, says in one line what came of it, and exits with 0 or 1. */
export async function migrateMain(options: MigrateOptions): Promise<never> {
  makeStacksReadable();
  const { service, schema, migrations } = options;
  const config = options.config ?? loadConfig(MigrationConfig, process.env, service);
  const logger = createLogger({ name: service, level: config.logLevel, format: config.logFormat });
  Logger.overrideLogger(new ServiceLogger(logger));
  try {
    const { databaseUrl: url, databaseCaFile: caFile } = config;
    const done = await runMigrations({ url, caFile, schema, migrations, applicationName: `${service}-migrate` });
    const what = done.length === 0 ? 'nothing to do' : `ran ${done.join(', ')}`;
    logger.info({ schema, migrations: done }, `schema ${schema} is up to date: ${what}`);
    return process.exit(0);
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? error.message : String((error as { code?: unknown }).code ?? error);
    // A fatal line is flushed before `fatal` returns.
    logger.fatal({ schema }, `schema ${schema} could not be migrated: ${reason}`);
    return process.exit(1);
  }
}
