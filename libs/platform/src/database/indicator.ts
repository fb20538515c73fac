import type { DataSource } from 'typeorm';
import type { HealthIndicator } from '../health/indicator';

/**
 * Readiness: the database answers, takes writes, and nothing waits for it.
 * @param outage what messages are being held for, if they are: a database that answers here may still have no connection for others
 */
export function databaseIndicator(
  dataSource: Pick<DataSource, 'query'>,
  outage: () => Error | undefined = () => undefined,
): HealthIndicator {
  return {
    name: 'database',
    async check() {
      const cause = outage();
      if (cause) throw cause;
      const rows: { transaction_read_only: string }[] = await dataSource.query('SHOW transaction_read_only');
      if (rows[0]?.transaction_read_only === 'on') throw new Error('The database is read-only');
    },
  };
}
