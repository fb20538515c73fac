import { SnapshotStoreError, type SnapshotStoreErrorReason } from '../snapshot-store';

const REASONS: Readonly<Record<string, SnapshotStoreErrorReason>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'no_space',
  EFBIG: 'no_space',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  EEXIST: 'exists',
  ENOENT: 'missing',
};

/** What the file system answered, as an error of the store. */
export function asStoreError(error: unknown, doing: string): SnapshotStoreError {
  if (error instanceof SnapshotStoreError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  // The code only: the message holds paths of this machine, and the detail ends up before a tenant's eyes.
  return new SnapshotStoreError(REASONS[code ?? ''] ?? 'io', `${doing}: ${code ?? message}`, { cause: error });
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
