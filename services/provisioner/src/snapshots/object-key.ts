import { SnapshotStoreError } from './snapshot-store';

/** No segment begins with a dot: none climbs, and none meets what a store keeps for itself. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const MAX_KEY = 512;

/** The object of an attempt at a snapshot. No other attempt, and no other snapshot, ever has the same. */
export function keyOf(workspaceId: string, snapshotId: string, attempt: number): string {
  return `${workspaceId}/${snapshotId}.${attempt}.tar.br`;
}

/** As snapshots name their objects, or did (by generation; `gz`). */
const SNAPSHOT_KEY = /^(ws_[0-9a-z]{26})\/(?:\d+|(snap_[0-9a-z]{26}))\.\d+\.tar\.(?:br|gz)$/;

/** Whose object this is; null where it is no snapshot's. `snapshotId` is null of keys from before they had one. */
export function ownerOf(key: string): { readonly workspaceId: string; readonly snapshotId: string | null } | null {
  const [, workspaceId, snapshotId] = SNAPSHOT_KEY.exec(key) ?? [];
  return workspaceId === undefined ? null : { workspaceId, snapshotId: snapshotId ?? null };
}

/** Every store takes the same keys. @throws SnapshotStoreError `bad_key` */
export function assertKey(key: string): void {
  if (key.length <= MAX_KEY && key.split('/').every((segment) => SEGMENT.test(segment))) return;
  throw new SnapshotStoreError('bad_key', `${JSON.stringify(key.slice(0, 100))} is not a key of letters, digits, ., _, - and /`);
}
