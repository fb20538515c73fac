/** What a service with a database needs besides: apart from the rest, so that one without loads nothing of TypeORM and of pg. */
export { databaseModule } from './database/database.module';
export { type DatabaseOptions, dataSourceOptions } from './database/settings';
