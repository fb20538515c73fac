import { join } from 'node:path';
import { SnapshotStoreError } from '../snapshot-store';

/** No segment begins with a dot: none climbs, and none meets the store's own directory of incoming files. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const MAX_KEY = 512;

/** Where a key's object stands below the root; never anywhere else. @throws SnapshotStoreError `bad_key` */
export function objectPath(root: string, key: string): string {
  const segments = key.split('/');
  if (key.length > MAX_KEY || !segments.every((segment) => SEGMENT.test(segment))) {
    throw new SnapshotStoreError('bad_key', `${JSON.stringify(key.slice(0, 100))} is not a key of letters, digits, ., _, - and /`);
  }
  return join(root, ...segments);
}
