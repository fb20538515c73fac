import { resolve } from 'node:path';
import type { SnapshotStoreConfig } from '../snapshot-store.config';
import { FileSnapshotStore } from '../snapshots/files/file-snapshot-store';
import { S3SnapshotStore } from '../snapshots/s3/s3-snapshot-store';
import { settingsOf } from '../snapshots/s3/settings-of';
import type { SnapshotStore } from '../snapshots/snapshot-store';

/** The store that the config names. */
export function snapshotStoreOf(config: SnapshotStoreConfig): SnapshotStore {
  switch (config.snapshotStore) {
    case 'files':
      return new FileSnapshotStore(resolve(config.snapshotsDir));
    case 's3':
      return new S3SnapshotStore(settingsOf(config));
  }
}
