import { SnapshotStoreError, type SnapshotStoreErrorReason } from '../snapshot-store';

const NO_SPACE = [
  'EntityTooLarge',
  'InsufficientCapacity',
  'InsufficientStorage',
  'QuotaExceeded',
  'TooManyParts',
  'XMinioAdminBucketQuotaExceeded',
  'XMinioStorageFull',
] as const;

/** A bucket that is not there counts among them: as with a wrong key, somebody has to change the configuration. */
const DENIED = [
  'AccessDenied',
  'AccountProblem',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'Forbidden',
  'InvalidAccessKeyId',
  'InvalidBucketName',
  'InvalidObjectState',
  'InvalidToken',
  'MethodNotAllowed',
  'NoSuchBucket',
  'PermanentRedirect',
  'SignatureDoesNotMatch',
  'Unauthorized',
] as const;

const MISSING = ['NoSuchKey', 'NotFound'] as const;
/** The store saw that what arrived is not what was sent. */
const CORRUPT = ['BadDigest', 'InvalidDigest', 'XAmzContentChecksumMismatch', 'XAmzContentSHA256Mismatch'] as const;

/** Nothing is overwritten: every write asks for its key to be free. */
const EXISTS = ['ConditionalRequestConflict', 'PreconditionFailed'] as const;

/** Although it comes with 404: no object is missing, an upload was given up by somebody else. */
const AGAIN = ['NoSuchUpload'] as const;

const REASONS: ReadonlyMap<string, SnapshotStoreErrorReason> = new Map([
  ...AGAIN.map((name) => [name, 'io'] as const),
  ...NO_SPACE.map((name) => [name, 'no_space'] as const),
  ...DENIED.map((name) => [name, 'denied'] as const),
  ...MISSING.map((name) => [name, 'missing'] as const),
  ...EXISTS.map((name) => [name, 'exists'] as const),
  ...CORRUPT.map((name) => [name, 'corrupt'] as const),
]);

/** What stores that have their own names for it answer. Whatever else is `io`, and tried again. */
const BY_STATUS: ReadonlyMap<number, SnapshotStoreErrorReason> = new Map([
  [401, 'denied'],
  [403, 'denied'],
  [404, 'missing'],
  [412, 'exists'],
  [413, 'no_space'],
  [507, 'no_space'],
]);

/** Names that only say that the answer could not be read. */
const NAMELESS: ReadonlySet<string> = new Set(['Error', 'TypeError', 'Unknown', 'UnknownError', 'S3ServiceException']);

/**
 * Whatever the SDK failed with, as an error of the store. The detail names what the store answered and its status: never its message, which may
 * hold addresses, keys of the account and signatures, and ends up before a tenant's eyes.
 */
export function asStoreError(error: unknown, doing: string): SnapshotStoreError {
  if (error instanceof SnapshotStoreError) return error;
  const status = statusOf(error);
  const name = nameOf(error);
  const said = status === undefined ? name : `${name} (${status})`;
  return new SnapshotStoreError(reasonOf(name, status), `${doing}: ${said}`, { cause: error });
}

/** Whether the store answered this. */
export function isAnswer(error: unknown, name: string): boolean {
  const cause = error instanceof SnapshotStoreError ? error.cause : error;
  return nameOf(cause) === name;
}

function reasonOf(name: string, status: number | undefined): SnapshotStoreErrorReason {
  // Of the key service there are two dozen; what they have in common is that the key cannot be used as things are.
  if (name.startsWith('KMS.')) return 'denied';
  return REASONS.get(name) ?? BY_STATUS.get(status ?? 0) ?? 'io';
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}

/** Of a connection the code, such as ECONNREFUSED; of an answer the name, such as SlowDown. */
function nameOf(error: unknown): string {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  if (name === 'AbortError') return 'no answer in time';
  if (typeof name === 'string' && !NAMELESS.has(name)) return name;
  return typeof code === 'string' ? code : 'no answer that could be read';
}
