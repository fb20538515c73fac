import { isDatabaseError, isUniqueViolation } from '../database/errors';
import { inSpan } from './in-span';

/**
 * The span of a transaction, from its wait for a connection to its commit. What a rule throws rolls it back and is no failure of the database;
 * neither is a name that is taken.
 */
export function inTransactionSpan<T>(work: () => Promise<T>): Promise<T> {
  return inSpan('transaction', { kind: 'client', attributes: { 'db.system.name': 'postgresql' }, isFailure }, work);
}

function isFailure(error: unknown): boolean {
  return isDatabaseError(error) && !isUniqueViolation(error);
}
