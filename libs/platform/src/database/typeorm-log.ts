import { Logger } from '@nestjs/common';
import type { Logger as TypeOrmLogger } from 'typeorm';

/** TypeORM's words in the process's log. Parameters are never written: they are tenants' data. */
export class TypeOrmLog implements TypeOrmLogger {
  private readonly logger = new Logger('Database');

  poolError(error: unknown): void {
    this.logger.warn({ err: error }, 'an idle connection to the database broke');
  }

  logQuerySlow(milliseconds: number, query: string): void {
    this.logger.warn({ duration_ms: milliseconds, query }, 'slow query');
  }

  /** The error itself reaches whoever ran the query; this is for the one who looks for the statement. */
  logQueryError(error: string | Error, query: string): void {
    this.logger.debug({ err: error, query }, 'a query failed');
  }

  logMigration(message: string): void {
    this.logger.debug(message);
  }

  log(level: 'log' | 'info' | 'warn', message: unknown): void {
    if (level === 'warn') this.logger.warn(message);
    else this.logger.debug(message);
  }

  logQuery(): void {
    // Not even at trace: statements carry what tenants typed, where a query builder inlines it.
  }

  logSchemaBuild(): void {
    // Nothing builds a schema here; the migration executor repeats itself through it.
  }
}
