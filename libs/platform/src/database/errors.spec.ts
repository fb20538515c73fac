import { QueryFailedError, QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { isLockTimeout, isTransactionConflict, isTransientDatabaseError, isUniqueViolation } from './errors';

function failed(code: string, more: object = {}): QueryFailedError {
  return new QueryFailedError('SELECT 1', [], Object.assign(new Error('as the server said'), { code, ...more }));
}

describe('the errors of the database', () => {
  it('tells a unique violation, and of which constraint', () => {
    const error = failed('23505', { constraint: 'inbox_pkey' });
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, 'inbox_pkey')).toBe(true);
    expect(isUniqueViolation(error, 'outbox_pkey')).toBe(false);
    expect(isUniqueViolation(failed('23503'))).toBe(false);
  });

  it('tells a lock that was waited for too long', () => {
    expect(isLockTimeout(failed('55P03'))).toBe(true);
    expect(isLockTimeout(failed('23505'))).toBe(false);
  });

  it.each(['40001', '40P01'])('tells a lost transaction by %s', (code) => {
    expect(isTransactionConflict(failed(code))).toBe(true);
  });

  it.each(['57P01', '57P03', '53300', '08006', '40001', '55P03', '57014', '25006'])('takes SQLSTATE %s as passing', (code) => {
    expect(isTransientDatabaseError(failed(code))).toBe(true);
  });

  it.each([new QueryRunnerAlreadyReleasedError(), new QueryRunnerProviderAlreadyReleasedError()])(
    'takes TypeORM’s $name as passing',
    (error) => {
      expect(isTransientDatabaseError(error)).toBe(true);
    },
  );

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND'])('takes %s as passing', (code) => {
    expect(isTransientDatabaseError(Object.assign(new AggregateError([]), { code }))).toBe(true);
  });

  it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect'])('takes "%s" as passing', (message) => {
    expect(isTransientDatabaseError(new Error(message))).toBe(true);
  });

  it.each([failed('23505'), failed('42P01'), failed('28P01'), failed('3D000'), new Error('a mistake'), null, undefined, 'text'])(
    'does not take %p as passing',
    (error) => {
      expect(isTransientDatabaseError(error)).toBe(false);
    },
  );
});
