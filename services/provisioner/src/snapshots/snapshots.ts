import { PassThrough, Transform, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Digester } from './digester';
import { asUnreadable, COMPRESSED_AT_ONCE, compressor, decompressor, ENCODING, type Encoding, encodingOf } from './encoding';
import { gathered, IN_FLOW } from './flow';
import type { SnapshotLimits } from './limits';
import { type DirectPart, type DirectTransfer, type DirectUpload, SnapshotStoreError, type SnapshotStore } from './snapshot-store';
import { TarInspector } from './tar-inspector';

/** All that is needed to check and to open a snapshot again: what the database keeps of it. */
export interface SnapshotRecord {
  readonly key: string;
  /** Digest (hex) and size of the tar, as the agent made it. */
  readonly tarSha256: string;
  readonly tarBytes: number;
  readonly entries: number;
  /** Digest (hex) and size of what stands in the store. */
  readonly storedSha256: string;
  readonly storedBytes: number;
  readonly encoding: Encoding;
}

/** A tar on its way out of a pod: the bytes, and afterwards the agent's own digest of them. */
export interface SnapshotSource {
  readonly stream: Readable;
  readonly digest: Promise<{ sha256: string; entries: number }>;
}

/**
 * Streams a pod's files into the store with flat memory. Resolves when the object is durable and the bytes that went in
 * have the digest that the agent computed; it has not been read back yet: that is `verifySnapshot`. What a restore would refuse, or is beyond the limits,
 * is stored no further than it was found so: a task may stand in for its agent and send anything.
 * @throws SnapshotStoreError `too_large`, `corrupt` among them; whatever broke the source's stream
 */
export async function saveSnapshot(
  store: SnapshotStore,
  key: string,
  source: SnapshotSource,
  limits: SnapshotLimits,
  signal?: AbortSignal,
): Promise<SnapshotRecord> {
  // The digest rejects together with the stream; the stream's error is the one that is thrown.
  source.digest.catch(() => undefined);
  const tar = new Digester();
  const stored = new PassThrough({ highWaterMark: IN_FLOW });
  const compressible = (from: AsyncIterable<Buffer>): AsyncIterable<Buffer> => gathered(from, COMPRESSED_AT_ONCE);
  const flow = pipeline(source.stream, new Inspection(limits), tar, compressible, compressor(), stored, signal ? { signal } : {});
  const put = await bothOrFailure(store.put(key, stored), flow);
  const told = await agreed(source, tar.sha256()).catch(async (error: unknown) => {
    await store.delete(key);
    throw error;
  });
  return {
    key,
    tarSha256: told.sha256,
    tarBytes: tar.bytes,
    entries: told.entries,
    storedSha256: put.sha256,
    storedBytes: put.sizeBytes,
    encoding: ENCODING,
  };
}

/**
 * Reads the stored object back from the beginning to the end: its own digest, the tar's digest, and the tar's structure
 * (complete, its count of entries right, and nothing in it that a restore would refuse).
 * @throws SnapshotStoreError `corrupt`, `missing` or `too_large` where the snapshot cannot be relied upon
 */
export async function verifySnapshot(
  store: SnapshotStore,
  record: SnapshotRecord,
  limits: SnapshotLimits,
  signal?: AbortSignal,
): Promise<void> {
  const { stored, tar, entries } = await readThrough(store, record, limits, signal);
  expectSame('stored bytes', stored.bytes, record.storedBytes);
  expectSame('stored digest', stored.sha256(), record.storedSha256);
  expectSame('tar bytes', tar.bytes, record.tarBytes);
  expectSame('tar digest', tar.sha256(), record.tarSha256);
  expectSame('entries', entries, record.entries);
}

/**
 * Reads an object of which nothing is on record, and resolves with what there is to record of it. Its structure is checked as `verifySnapshot` does; what it was
 * when it was stored, nobody knows any more.
 * @throws SnapshotStoreError `corrupt`, `missing` or `too_large` where it is no snapshot that can be relied upon
 */
export async function recordOf(store: SnapshotStore, key: string, limits: SnapshotLimits, signal?: AbortSignal): Promise<SnapshotRecord> {
  const encoding = encodingOf(await beginningOf(store, key));
  const { stored, tar, entries } = await readThrough(store, { key, encoding }, limits, signal);
  return { key, tarSha256: tar.sha256(), tarBytes: tar.bytes, entries, storedSha256: stored.sha256(), storedBytes: stored.bytes, encoding };
}

async function beginningOf(store: SnapshotStore, key: string): Promise<Buffer> {
  for await (const chunk of gathered(await store.get(key), 2)) return chunk;
  return Buffer.alloc(0);
}

async function readThrough(
  store: SnapshotStore,
  { key, encoding }: Pick<SnapshotRecord, 'key' | 'encoding'>,
  limits: SnapshotLimits,
  signal?: AbortSignal,
): Promise<{ stored: Digester; tar: Digester; entries: number }> {
  const [stored, tar, inspector] = [new Digester(), new Digester(), new TarInspector(limits)];
  const unpacked = decompressor(encoding);
  try {
    await pipeline(await store.get(key), stored, unpacked, tar, inspector, signal ? { signal } : {});
  } catch (error) {
    throw asUnreadable(error, encoding);
  }
  return { stored, tar, entries: inspector.entries };
}

/**
 * The tar of a snapshot, decompressed on the way. A failure in the middle destroys the stream with a SnapshotStoreError;
 * whoever reads it must compare the digest at the end (the agent does, before it moves anything in place).
 * @throws SnapshotStoreError `missing`
 */
export async function openSnapshot(store: SnapshotStore, record: SnapshotRecord): Promise<Readable> {
  const tar = decompressor(record.encoding);
  const stored = await store.get(record.key);
  stored.once('error', (error) => tar.destroy(error));
  tar.once('close', () => stored.destroy());
  return stored.pipe(tar);
}

/** An agent that sends its files to the store by itself. */
export interface Uploader {
  upload(
    to: Pick<DirectUpload, 'partBytes' | 'addressOfPart'>,
    limits: SnapshotLimits,
    signal: AbortSignal,
  ): Promise<{
    readonly sha256: string;
    readonly entries: number;
    readonly bytes: number;
    readonly storedSha256: string;
    readonly storedBytes: number;
    readonly encoding: Encoding;
    readonly parts: readonly DirectPart[];
  }>;
}

/**
 * Lets a pod send its files to the store by itself. What it tells of them is taken down as it is: `verifySnapshot` reads the object back and holds it
 * to every word. Nothing is kept of an upload that does not come to its end.
 * @throws SnapshotStoreError; whatever the agent fails with
 */
export async function saveDirectly(
  direct: DirectTransfer,
  key: string,
  agent: Uploader,
  limits: SnapshotLimits,
  signal: AbortSignal,
): Promise<SnapshotRecord> {
  const upload = await direct.upload(key);
  const most = mostStored(limits);
  const addressOfPart = async (number: number): Promise<string> => {
    if ((number - 1) * upload.partBytes >= most) throw tooLargeToStore(most);
    return upload.addressOfPart(number);
  };
  try {
    const told = await agent.upload({ partBytes: upload.partBytes, addressOfPart }, limits, signal);
    signal.throwIfAborted();
    if (told.storedBytes > most) throw tooLargeToStore(most);
    await upload.complete(told.parts, told.storedBytes);
    return {
      key,
      tarSha256: told.sha256,
      tarBytes: told.bytes,
      entries: told.entries,
      storedSha256: told.storedSha256,
      storedBytes: told.storedBytes,
      encoding: told.encoding,
    };
  } catch (error) {
    await upload.giveUp();
    throw error;
  }
}

/** Headers and names of an entry, compressed: the names of its directories stand in the entry before it. */
const STORED_OF_ENTRY = 1024;

/** What a snapshot within the limits may have in the store. What does not shrink grows by less than a hundredth. */
function mostStored({ bytes, entries }: SnapshotLimits): number {
  return Math.ceil(bytes * 1.01) + entries * STORED_OF_ENTRY;
}

function tooLargeToStore(most: number): SnapshotStoreError {
  return new SnapshotStoreError('too_large', `The workspace is too large for a snapshot: the pod sends more than ${most} bytes.`);
}

/** The agent's digest, which must be that of the bytes that arrived. */
async function agreed(source: SnapshotSource, received: string): Promise<{ sha256: string; entries: number }> {
  const told = await source.digest;
  if (told.sha256 === received) return told;
  throw new SnapshotStoreError('corrupt', `the agent's digest is ${told.sha256}, the bytes received have ${received}`);
}

/** Passes on what flows through once it was looked at. */
class Inspection extends Transform {
  private readonly inspector: TarInspector;

  constructor(limits: SnapshotLimits) {
    super({ highWaterMark: IN_FLOW });
    this.inspector = new TarInspector(limits);
    this.inspector.on('error', (error) => this.destroy(error));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // What it fails with is told by its event.
    this.inspector.write(chunk, (error) => error ?? done(null, chunk));
  }

  override _flush(done: TransformCallback): void {
    this.inspector.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.inspector.destroy();
    done(error);
  }
}

function expectSame(what: string, found: string | number, recorded: string | number): void {
  if (found !== recorded) throw new SnapshotStoreError('corrupt', `${what}: found ${found}, recorded ${recorded}`);
}

/**
 * Waits for both, so that no half of a failed save goes on in the background. The store's own failure comes first: what
 * breaks the other half then is only its echo.
 */
async function bothOrFailure<T>(put: Promise<T>, flow: Promise<void>): Promise<T> {
  const [kept, flowed] = await Promise.allSettled([put, flow]);
  if (kept.status === 'rejected' && kept.reason instanceof SnapshotStoreError) throw kept.reason;
  if (flowed.status === 'rejected') throw flowed.reason;
  if (kept.status === 'rejected') throw kept.reason;
  return kept.value;
}
