import type { DataSource } from 'typeorm';
import type { HealthIndicator } from '../health/indicator';

/** Readiness: the database answers a query. */
export function databaseIndicator(dataSource: Pick<DataSource, 'query'>): HealthIndicator {
  return {
    name: 'database',
    async check() {
      await dataSource.query('SELECT 1');
    },
  };
}
