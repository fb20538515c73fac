import type { DataSourceOptions, MixedList, MigrationInterface } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions';
import { databaseTls } from '../tls/database-tls';
import { TypeOrmLog } from './typeorm-log';
import { ServiceClient } from './service-client';

/** A migration: a class of TypeORM's `MigrationInterface` whose name ends in a 13-digit timestamp. */
export type MigrationClass = new () => MigrationInterface;

export interface DatabaseOptions {
  readonly url: string;
  /** The authority that the server's certificate must come from; without one, the URL's `sslmode` says it all. */
  readonly caFile?: string | undefined;
  /** The service's own schema: unqualified names in SQL mean it, and nothing else. */
  readonly schema: string;
  /** What the server's `pg_stat_activity` calls this process. */
  readonly applicationName: string;
  readonly poolSize?: number;
  readonly entities?: DataSourceOptions['entities'];
  readonly migrations?: readonly MigrationClass[];
}

/** Limits that the server holds every statement of a session to, in milliseconds; 0 is none. */
export interface SessionLimits {
  readonly statement: number;
  readonly lock: number;
  readonly idleInTransaction: number;
}

/** For the requests and messages of a service: none of them has a reason to take longer. */
export const SERVICE_LIMITS: SessionLimits = { statement: 15_000, lock: 5_000, idleInTransaction: 30_000 };

const SLOW_QUERY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * What a TypeORM data source needs to know. The schema is never synchronised and migrations are never run by a service
 * on its own: that is `migrateMain`'s work.
 */
export function dataSourceOptions(options: DatabaseOptions, limits: SessionLimits = SERVICE_LIMITS): PostgresDataSourceOptions {
  const { url, serverOptions } = splitUrl(options.url);
  const log = new TypeOrmLog();
  return {
    type: 'postgres',
    ...(options.caFile === undefined ? { url } : databaseTls(url, options.caFile)),
    schema: options.schema,
    applicationName: options.applicationName,
    poolSize: options.poolSize ?? 10,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    entities: options.entities ?? [],
    migrations: [...(options.migrations ?? [])] as MixedList<MigrationClass>,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    migrationsRun: false,
    synchronize: false,
    // The service's role may not create extensions, and no entity needs one.
    installExtensions: false,
    logger: log,
    maxQueryExecutionTime: SLOW_QUERY_MS,
    // A connection that breaks while it idles in the pool is told here; unheard, it would end the process.
    poolErrorHandler: (error: unknown) => log.poolError(error),
    extra: {
      Client: ServiceClient,
      keepAlive: true,
      options: [serverOptions, sessionSettings(options.schema, limits)].filter(Boolean).join(' '),
    },
  };
}

/** As start-up parameters rather than `SET` statements: true from a connection's first query on, at no round trip. */
function sessionSettings(schema: string, limits: SessionLimits): string {
  const settings = {
    search_path: schema,
    statement_timeout: limits.statement,
    lock_timeout: limits.lock,
    idle_in_transaction_session_timeout: limits.idleInTransaction,
    timezone: 'UTC',
    // Whatever the server's own is: `inTransaction` says it only where a transaction needs another.
    default_transaction_isolation: 'read committed',
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${String(value).replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}

/** node-postgres lets `options` in the URL win over ours, so they are taken out of it and put before them. */
function splitUrl(text: string): { url: string; serverOptions: string | undefined } {
  const url = new URL(text);
  const serverOptions = url.searchParams.get('options') ?? undefined;
  if (serverOptions === undefined) return { url: text, serverOptions };
  url.searchParams.delete('options');
  return { url: url.toString(), serverOptions };
}
