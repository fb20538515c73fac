import { join } from 'node:path';
import { assertKey } from '../object-key';

/** Where a key's object stands below the root; never anywhere else. @throws SnapshotStoreError `bad_key` */
export function objectPath(root: string, key: string): string {
  assertKey(key);
  return join(root, ...key.split('/'));
}
