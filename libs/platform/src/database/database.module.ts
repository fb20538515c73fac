import type { DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { connect, migrated } from './connect';
import { type DatabaseOptions, dataSourceOptions } from './settings';

/**
 * The service's one data source, for the whole application to inject. It waits for a late database, insists on the
 * migrations that it is given, reconnects by itself, and is closed last of all at shutdown.
 */
export function databaseModule(options: DatabaseOptions): DynamicModule {
  const settings = dataSourceOptions(options);
  return TypeOrmModule.forRootAsync({
    // `connect` waits with better manners than TypeOrmModule's own retry, which prints a stack each time.
    useFactory: () => ({ ...settings, toRetry: () => false }),
    dataSourceFactory: () => connect(settings, migrated),
  });
}
