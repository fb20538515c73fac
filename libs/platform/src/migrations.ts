/** What a service's `migrate.js` needs, and no more: it is run before anything else is. */
export { migrateMain, type MigrateOptions } from './database/migrate-main';
export { type MigrationOptions, runMigrations } from './database/migrations';
export type { MigrationClass } from './database/settings';
