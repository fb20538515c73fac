import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { SnapshotStore, StoredObject } from '@reprise/provisioner/dist/snapshots/snapshot-store';

/** Keeps nothing but the last object, in memory: all snapshots here are the same, since all workspaces are empty. */
export class NoopSnapshotStore implements SnapshotStore {
  private last = Buffer.alloc(0);

  async put(_key: string, stream: Readable): Promise<StoredObject> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    this.last = Buffer.concat(chunks);
    return { sha256: createHash('sha256').update(this.last).digest('hex'), sizeBytes: this.last.length };
  }

  get(): Promise<Readable> {
    return Promise.resolve(Readable.from([this.last]));
  }

  stat(): Promise<{ sizeBytes: number; modifiedAt: Date }> {
    return Promise.resolve({ sizeBytes: this.last.length, modifiedAt: new Date() });
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async *list(): AsyncIterable<string> {
    yield* [];
  }

  sweep(): Promise<number> {
    return Promise.resolve(0);
  }

  check(): Promise<void> {
    return Promise.resolve();
  }
}
