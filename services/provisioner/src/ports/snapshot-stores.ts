import { resolve } from 'node:path';
import type { StoreSettings } from '../snapshot-store.config';
import type { SnapshotStore } from '../snapshots/snapshot-store';

/** The store that the settings name. Only that one is loaded: the client of S3 is large. */
export async function snapshotStoreOf(config: StoreSettings): Promise<SnapshotStore> {
  switch (config.snapshotStore) {
    case 'files': {
      const { FileSnapshotStore } = await import('../snapshots/files/file-snapshot-store.js');
      return new FileSnapshotStore(resolve(config.snapshotsDir));
    }
    case 's3': {
      const [{ S3SnapshotStore }, { settingsOf }] = await Promise.all([
        import('../snapshots/s3/s3-snapshot-store.js'),
        import('../snapshots/s3/settings-of.js'),
      ]);
      return new S3SnapshotStore(settingsOf(config));
    }
  }
}
