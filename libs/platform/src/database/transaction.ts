import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import { inTransactionSpan } from '../tracing/transaction-span';
import { isTransactionConflict } from './errors';

export interface TransactionOptions {
  /** Without: that of the session, READ COMMITTED, at no round trip. */
  readonly isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
  /** How often the work is run before its conflict is thrown, the first time included. */
  readonly attempts?: number;
}

const FIRST_PAUSE_MS = 10;

/**
 * Runs the work in one transaction and commits it; any error rolls it back and is thrown. Where the database says that
 * it lost against a concurrent transaction (serialization failure, deadlock), it is run again from its beginning, so it
 * must have no effect outside of the transaction.
 */
export async function inTransaction<T>(
  dataSource: Pick<DataSource, 'transaction'>,
  work: (manager: EntityManager) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const { isolation, attempts = 4 } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransactionSpan(() => (isolation ? dataSource.transaction(isolation, work) : dataSource.transaction(work)));
    } catch (error) {
      if (!isTransactionConflict(error) || attempt >= attempts) throw error;
      // Two that met once would meet again if both waited equally long.
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }
}
