/** What a service with a database needs besides: apart from the rest, so that one without loads nothing of TypeORM and of pg. */
export { databaseModule } from './database/database.module';
export { migrateMain, type MigrateOptions } from './database/migrate-main';
export { type MigrationOptions, runMigrations } from './database/migrations';
export { type DatabaseOptions, dataSourceOptions, type MigrationClass } from './database/settings';
