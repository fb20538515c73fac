/** The SQLSTATEs that this library acts on (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const UNIQUE_VIOLATION = '23505';
const LOCK_NOT_AVAILABLE = '55P03';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const DIVISION_BY_ZERO = '22012';
const FEATURE_NOT_SUPPORTED = '0A000';
const QUERY_CANCELED = '57014';
const READ_ONLY = '25006';

const TRANSIENT_STATES = new Set([
  ...[SERIALIZATION_FAILURE, DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE],
  '25P03', // idle in a transaction for too long
  READ_ONLY, // the server has just become, or not yet ceased to be, a standby
  QUERY_CANCELED, // the statement took too long
  ...['57P01', '57P02', '57P03', '57P05'], // shutting down, crashed, starting up, idle for too long
]);
/** Classes of SQLSTATEs: connection exceptions, and insufficient resources (too many connections among them). */
const TRANSIENT_CLASSES = ['08', '53'];

const TRANSIENT_SYSTEM_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);
/** What node-postgres says without a code when a connection is gone or none is free. */
const TRANSIENT_WORDS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;

/** What TypeORM says to the next query of a transaction whose connection broke between two of its queries. */
const LOST_IN_BETWEEN: ReadonlySet<string> = new Set(['QueryRunnerAlreadyReleasedError', 'QueryRunnerProviderAlreadyReleasedError']);

interface DatabaseError {
  readonly code?: unknown;
  readonly constraint?: unknown;
  readonly message?: unknown;
}

/** Whether a row was refused because another with the same key exists; of this constraint, if one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const { code, constraint: violated } = driverError(error);
  return code === UNIQUE_VIOLATION && (constraint === undefined || violated === constraint);
}

/** Whether a statement undid itself: dividing by zero is the one error that plain SQL can raise at will. */
export function isDivisionByZero(error: unknown): boolean {
  return driverError(error).code === DIVISION_BY_ZERO;
}

/** Whether a prepared statement would give other columns than before, since a migration has changed the table. Prepared anew, it works. */
export function isStalePlan(error: unknown): boolean {
  const { code, message } = driverError(error);
  return code === FEATURE_NOT_SUPPORTED && message === 'cached plan must not change result type';
}

/** Whether the server, or this session of it, takes no writes. */
export function isReadOnly(error: unknown): boolean {
  return driverError(error).code === READ_ONLY;
}

/** Whether a row or table was locked by another for longer than this session waits. */
export function isLockTimeout(error: unknown): boolean {
  return driverError(error).code === LOCK_NOT_AVAILABLE;
}

/** Whether a statement was ended since it took longer than this session lets it. */
export function isStatementTimeout(error: unknown): boolean {
  return driverError(error).code === QUERY_CANCELED;
}

/** Whether the transaction lost against a concurrent one, and would succeed if it were run again from its beginning. */
export function isTransactionConflict(error: unknown): boolean {
  const { code } = driverError(error);
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

/**
 * Whether the same work may well succeed later, unchanged: the server is away, restarting, full or busy. A connection
 * lost at COMMIT is among these, and then the transaction may have been committed: repeat only what is idempotent.
 */
export function isTransientDatabaseError(error: unknown): boolean {
  // By its name: a service without a database has this file, and must not load TypeORM for it.
  if (error instanceof Error && LOST_IN_BETWEEN.has(error.name)) return true;
  if (isStalePlan(error)) return true;
  const { code, message } = driverError(error);
  if (typeof code === 'string') {
    if (TRANSIENT_STATES.has(code) || TRANSIENT_SYSTEM_CODES.has(code)) return true;
    if (code.length === 5 && TRANSIENT_CLASSES.includes(code.slice(0, 2))) return true;
  }
  return typeof message === 'string' && TRANSIENT_WORDS.test(message);
}

/** Login refused, database not there, I/O error of the server's disk: nothing that the work could be blamed for. */
const SERVERS_OWN_STATES: ReadonlySet<string> = new Set(['28000', '28P01', '3D000', '58000', '58030', '58P01']);
/** The connection was there when the work began. */
const LOST_STATES: ReadonlySet<unknown> = new Set(['57P01', '57P02', '08000', '08003', '08006', 'ECONNRESET', 'ECONNABORTED', 'EPIPE']);
const LOST_WORDS = /^(Connection terminated(?! due to connection timeout)|Client has encountered a connection error)/;
/** No connection was to be had. */
const NO_CONNECTION_STATES: ReadonlySet<unknown> = new Set([
  ...['53300', '57P03', '08001', '08004', '28000', '28P01', '3D000'],
  ...['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);
const NO_CONNECTION_WORDS = /^(timeout exceeded when trying to connect|Connection terminated due to connection timeout)/;

/** Whether the work has to wait until the database is well again, however long that takes: whatever is transient, and what an operator has to mend. */
export function isDatabaseOutage(error: unknown): boolean {
  return isTransientDatabaseError(error) || SERVERS_OWN_STATES.has(String(driverError(error).code));
}

/** Whether the connection was lost while the work used it. */
export function isLostConnection(error: unknown): boolean {
  if (error instanceof Error && LOST_IN_BETWEEN.has(error.name)) return true;
  const { code, message } = driverError(error);
  return LOST_STATES.has(code) || (typeof message === 'string' && LOST_WORDS.test(message));
}

/** Whether the work got no connection at all. */
export function isConnectionRefused(error: unknown): boolean {
  const { code, message } = driverError(error);
  return NO_CONNECTION_STATES.has(code) || (typeof message === 'string' && NO_CONNECTION_WORDS.test(message));
}

/** Whether the database, or the way to it, is what failed; not the work that used it. */
export function isDatabaseError(error: unknown): boolean {
  return (typeof error === 'object' && error !== null && 'driverError' in error) || isTransientDatabaseError(error);
}

/** TypeORM wraps the driver's error in its own. */
function driverError(error: unknown): DatabaseError {
  if (typeof error !== 'object' || error === null) return {};
  if ('driverError' in error && typeof error.driverError === 'object' && error.driverError !== null) return error.driverError;
  return error;
}
