import { finished, type Readable } from 'node:stream';
import {
  type DirectTransfer,
  type DirectUpload,
  type SnapshotStore,
  SnapshotStoreError,
  type StoredObject,
} from '../snapshots/snapshot-store';
import { CallTimer, type Durations } from './call-timer';

/** What a store's calls and bytes are told to: those of the service's metrics, or whatever passes them on to these. */
export interface StoreMeters {
  readonly durations: Durations;
  readonly stored: { inc(bytes: number): void };
}

/** Any snapshot store, with its calls and bytes counted and timed. */
export class ObservedSnapshotStore implements SnapshotStore {
  readonly direct?: DirectTransfer;
  private readonly timer: CallTimer;
  private readonly stored: StoreMeters['stored'];

  constructor(
    private readonly store: SnapshotStore,
    { durations, stored }: StoreMeters,
  ) {
    this.timer = new CallTimer(durations, reasonOf);
    this.stored = stored;
    if (store.direct) this.direct = this.observed(store.direct);
  }

  async put(key: string, stream: Readable): Promise<StoredObject> {
    const object = await this.timer.time('put', () => this.store.put(key, stream));
    this.stored.inc(object.sizeBytes);
    return object;
  }

  async get(key: string): Promise<Readable> {
    const end = this.timer.begin('get');
    try {
      const stream = await this.store.get(key);
      // A reader that goes away early is not the store's failure.
      finished(stream, (error) => end(error instanceof SnapshotStoreError ? error : undefined));
      return stream;
    } catch (error) {
      end(error);
      throw error;
    }
  }

  stat(key: string): Promise<{ sizeBytes: number; modifiedAt: Date } | null> {
    return this.timer.time('stat', () => this.store.stat(key));
  }

  delete(key: string): Promise<void> {
    return this.timer.time('delete', () => this.store.delete(key));
  }

  async *list(prefix?: string): AsyncIterable<string> {
    const end = this.timer.begin('list');
    try {
      yield* this.store.list(prefix);
      end();
    } catch (error) {
      end(error);
      throw error;
    }
  }

  sweep(olderThanMs: number): Promise<number> {
    return this.timer.time('sweep', () => this.store.sweep(olderThanMs));
  }

  check(): Promise<void> {
    return this.timer.time('check', () => this.store.check());
  }

  /** Only what the store does for a transfer is timed here; the bytes themselves go past. */
  private observed(direct: DirectTransfer): DirectTransfer {
    return {
      upload: async (key): Promise<DirectUpload> => {
        const upload = await this.timer.time('upload', () => direct.upload(key));
        return {
          partBytes: upload.partBytes,
          addressOfPart: (number) => upload.addressOfPart(number),
          complete: async (parts, sizeBytes) => {
            await this.timer.time('complete', () => upload.complete(parts, sizeBytes));
            this.stored.inc(sizeBytes);
          },
          giveUp: () => upload.giveUp(),
        };
      },
      addressOfDownload: (key) => direct.addressOfDownload(key),
    };
  }
}

/** `stream`: what was to be stored broke on its way; that is the pod's failure, not the store's. */
function reasonOf(error: unknown): string {
  return error instanceof SnapshotStoreError ? error.reason : 'stream';
}
