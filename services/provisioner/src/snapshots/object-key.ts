import { SnapshotStoreError } from './snapshot-store';

/** No segment begins with a dot: none climbs, and none meets what a store keeps for itself. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const MAX_KEY = 512;

/** The object of an attempt at a snapshot. No other attempt, and no other snapshot, ever has the same. */
export function keyOf(workspaceId: string, snapshotId: string, attempt: number): string {
  return `${workspaceId}/${snapshotId}.${attempt}.tar.br`;
}

/** Every store takes the same keys. @throws SnapshotStoreError `bad_key` */
export function assertKey(key: string): void {
  if (key.length <= MAX_KEY && key.split('/').every((segment) => SEGMENT.test(segment))) return;
  throw new SnapshotStoreError('bad_key', `${JSON.stringify(key.slice(0, 100))} is not a key of letters, digits, ., _, - and /`);
}
