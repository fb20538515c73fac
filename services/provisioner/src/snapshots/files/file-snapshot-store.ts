import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable, finished } from 'node:stream';
import { SnapshotStoreError, type SnapshotStore, type StoredObject } from '../snapshot-store';
import { objectPath } from './object-path';
import { asStoreError, codeOf } from './store-errors';

/** What is being written: on the same file system as what is written, so that a rename puts it in place. */
const INCOMING = '.incoming';
const READ_SIZE = 256 * 1024;
/** What a check writes: a disk may be too full for a snapshot and still have room for the name of a file. */
const CHECK_BYTES = 1024 * 1024;

/**
 * Keeps objects as files under one directory. An object is written aside, flushed, renamed, and its directory flushed: under
 * its key there is the whole object or none, also after a power cut.
 */
export class FileSnapshotStore implements SnapshotStore {
  constructor(private readonly root: string) {}

  async put(key: string, stream: Readable): Promise<StoredObject> {
    const aside = join(this.root, INCOMING, randomUUID());
    try {
      const target = objectPath(this.root, key);
      if ((await this.stat(key)) !== null) throw new SnapshotStoreError('exists', `there is an object ${key}, and nothing is overwritten`);
      const stored = await writeAside(aside, stream);
      await storing(key, () => this.moveInPlace(aside, target));
      return stored;
    } catch (error) {
      stream.destroy();
      await rm(aside, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async get(key: string): Promise<Readable> {
    const path = objectPath(this.root, key);
    const file = await reading(key, () => open(path, 'r'));
    return readableOf(file, key);
  }

  async stat(key: string): Promise<{ sizeBytes: number; modifiedAt: Date } | null> {
    const path = objectPath(this.root, key);
    const found = await unlessMissing(() => reading(key, () => stat(path)));
    return found?.isFile() ? { sizeBytes: found.size, modifiedAt: found.mtime } : null;
  }

  async delete(key: string): Promise<void> {
    const path = objectPath(this.root, key);
    await storing(key, async () => {
      await rm(path, { force: true });
      await unlessMissing(() => syncDirectory(dirname(path)));
    });
    await this.dropEmptyDirectories(dirname(path));
  }

  async *list(prefix = ''): AsyncIterable<string> {
    yield* this.keysIn(this.root, prefix);
  }

  async sweep(olderThanMs: number): Promise<number> {
    const incoming = join(this.root, INCOMING);
    const names = (await unlessMissing(() => reading(INCOMING, () => readdir(incoming)))) ?? [];
    let swept = 0;
    for (const name of names) {
      // Writing moves the time on: what is old is written by nobody any more.
      const found = await unlessMissing(() => stat(join(incoming, name)));
      if (!found || Date.now() - found.mtimeMs < olderThanMs) continue;
      await rm(join(incoming, name), { force: true });
      swept++;
    }
    return swept;
  }

  async check(): Promise<void> {
    const aside = join(this.root, INCOMING, randomUUID());
    await storing('snapshots', async () => {
      await mkdir(dirname(aside), { recursive: true });
      const file = await open(aside, 'wx', 0o600);
      try {
        await writeAll(file, Buffer.alloc(CHECK_BYTES));
      } finally {
        await file.close();
        await rm(aside);
      }
    });
  }

  private async moveInPlace(aside: string, target: string): Promise<void> {
    // A deletion beside this may take an empty directory away between the two calls: then both are made again.
    for (let attempt = 1; ; attempt++) {
      await mkdir(dirname(target), { recursive: true });
      try {
        await moveUnlessTaken(aside, target);
        break;
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || attempt === 3) throw error;
      }
    }
    // From the object's directory up: each one's name stands in the one above, and may be new.
    for (let directory = dirname(target); ; directory = dirname(directory)) {
      await syncDirectory(directory);
      if (relative(this.root, directory) === '') return;
    }
  }

  private async *keysIn(directory: string, prefix: string): AsyncIterable<string> {
    const entries = await unlessMissing(() => reading(prefix, () => readdir(directory, { withFileTypes: true })));
    for (const entry of entries ?? []) {
      const path = join(directory, entry.name);
      const key = relative(this.root, path);
      if (entry.name === INCOMING) continue;
      // Only down where a key with this prefix can be.
      if (entry.isDirectory() && (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`))) yield* this.keysIn(path, prefix);
      else if (entry.isFile() && key.startsWith(prefix)) yield key;
    }
  }

  private async dropEmptyDirectories(from: string): Promise<void> {
    for (let directory = from; relative(this.root, directory) !== ''; directory = dirname(directory)) {
      try {
        await rmdir(directory);
      } catch {
        return;
      }
    }
  }
}

/** What file systems without hard links answer to one. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** A rename would replace what is there; a link does not. Where there are no links, a look before the rename has to do. */
async function moveUnlessTaken(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
    if (await unlessMissing(() => stat(to))) throw Object.assign(new Error('the key is taken'), { code: 'EEXIST' });
    await rename(from, to);
  }
}

async function writeAside(aside: string, stream: Readable): Promise<StoredObject> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  // A stream that fails before it is first read from must not go unheard.
  finished(stream, () => undefined);
  const file = await storing('the snapshot', async () => {
    await mkdir(dirname(aside), { recursive: true });
    return open(aside, 'wx', 0o600);
  });
  try {
    // What the stream throws passes through as it is: it is not the store's failure.
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      await storing('the snapshot', () => writeAll(file, chunk));
    }
    await storing('the snapshot', () => file.sync());
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** Node's own file streams would fail with an error that names this machine's paths and no reason. */
function readableOf(file: FileHandle, key: string): Readable {
  return new Readable({
    highWaterMark: READ_SIZE,
    read(): void {
      file.read(Buffer.allocUnsafe(READ_SIZE), 0, READ_SIZE, null).then(
        ({ bytesRead, buffer }) => this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead)),
        (error: unknown) => this.destroy(asStoreError(error, `cannot read ${key}`)),
      );
    },
    destroy(error, done): void {
      file.close().then(() => done(error), done);
    },
  });
}

/** One write may take less than all of it, on a disk that fills up. */
async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function storing<T>(what: string, act: () => Promise<T>): Promise<T> {
  return act().catch((error: unknown) => {
    throw asStoreError(error, `cannot store ${what}`);
  });
}

async function reading<T>(what: string, act: () => Promise<T>): Promise<T> {
  return act().catch((error: unknown) => {
    throw asStoreError(error, `cannot read ${what}`);
  });
}

async function unlessMissing<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const { reason } = error as { reason?: unknown };
    if (reason === 'missing' || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
