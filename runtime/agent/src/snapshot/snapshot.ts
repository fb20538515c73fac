import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import { open as openFile, type FileHandle } from 'node:fs/promises';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { pack, type Pack } from 'tar-stream';
import { type Directory, identityOf, openUp } from '../files/directory';
import { IN_FLOW } from '../files/in-flow';
import { toText, type RawPath } from '../files/raw-path';
import { headerOf } from './header';
import { hasNoBlocks } from './holes';
import { assertWithin, type SnapshotLimits } from './limits';
import { walk, type Found } from './walk';

export interface SnapshotResult {
  /** Of the tar's bytes, in hex. */
  readonly sha256: string;
  /** How many entries the tar has, the workspace itself (`./`) among them. */
  readonly entries: number;
  readonly bytes: number;
  /** What has no content to carry (sockets, fifos, devices): at most the first hundred paths. */
  readonly skipped: readonly string[];
  readonly skippedCount: number;
}

type FoundFile = Extract<Found, { type: 'file' }>;

/** Follows no symlink that has taken the file's place since it was found, and waits for no fifo. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Up to this size a file is read at once, by synchronous calls, as in the walk. */
const SMALL = 1024 * 1024;
const READ_SIZE = 512 * 1024;
const SKIPPED_NAMED = 100;
const ZEROS = Buffer.alloc(READ_SIZE);

/**
 * Writes the workspace as a tar, with memory that does not grow with it. The caller ends `out`; on any failure nothing
 * more is written and the error is thrown: what was written then is no snapshot. `out` is asked for once it is known that the workspace is within the
 * limits.
 * @param assertQuiesced throws once the workspace is no longer at rest
 * @throws AgentError `snapshot_too_large`, before anything is read or written
 */
export async function writeSnapshot(
  workspace: Directory,
  open: () => Writable,
  limits: SnapshotLimits,
  assertQuiesced: () => void,
): Promise<SnapshotResult> {
  await assertWithin(workspace, limits, assertQuiesced);
  const out = open();
  const tar = pack();
  const filling = fill(tar, workspace, assertQuiesced);
  // Thrown below, once the tar's own stream has ended by it.
  filling.catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    // tar-stream's streams are Node's in all but their types.
    for await (const chunk of gathered(tar as unknown as AsyncIterable<Buffer>)) {
      hash.update(chunk);
      bytes += chunk.length;
      if (!out.write(chunk)) await drained(out);
    }
  } finally {
    // Where `out` broke, nobody reads the tar any more: the filling must not wait for a reader for ever.
    tar.destroy();
    await filling.catch(() => undefined);
  }
  const filled = await filling;
  assertQuiesced();
  return { sha256: hash.digest('hex'), bytes, ...filled };
}

/** A header is half a KiB: sent by itself it would cost as much as the file behind it. */
async function* gathered(tar: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of tar) {
    chunks.push(chunk);
    size += chunk.length;
    if (size < IN_FLOW) continue;
    yield Buffer.concat(chunks, size);
    [chunks, size] = [[], 0];
  }
  if (size > 0) yield Buffer.concat(chunks, size);
}

async function drained(out: Writable): Promise<void> {
  if (out.destroyed) throw new Error('the receiver closed the connection');
  const gone = new AbortController();
  try {
    await Promise.race([
      once(out, 'drain', { signal: gone.signal }),
      once(out, 'close', { signal: gone.signal }).then(() => {
        throw new Error('the receiver closed the connection');
      }),
    ]);
  } finally {
    gone.abort();
  }
}

async function fill(
  tar: Pack,
  root: Directory,
  assertQuiesced: () => void,
): Promise<Pick<SnapshotResult, 'entries' | 'skipped' | 'skippedCount'>> {
  const skipped: string[] = [];
  let skippedCount = 0;
  let entries = 0;
  for (const found of walk(root)) {
    assertQuiesced();
    if (found.type === 'skipped') {
      if (skippedCount++ < SKIPPED_NAMED) skipped.push(toText(found.path));
      continue;
    }
    if (found.type === 'file') await addFile(tar, found);
    else await addEmpty(tar, found);
    entries++;
  }
  tar.finalize();
  return { entries, skipped, skippedCount };
}

function addEmpty(tar: Pack, found: Exclude<Found, { type: 'skipped' }>): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(headerOf(found), (error) => (error ? reject(error) : resolve())).end(null);
  });
}

async function addFile(tar: Pack, found: FoundFile): Promise<void> {
  const close = openUp(found.directory, found.name, found.stat, 0o400);
  try {
    if (found.stat.size <= SMALL) await addWhole(tar, found, readSmallFile(found));
    else await addStreamed(tar, found);
  } finally {
    close();
  }
}

function readSmallFile(found: FoundFile): Buffer {
  const file = openSync(found.directory.at(found.name), READ);
  try {
    const content = Buffer.allocUnsafe(Number(found.stat.size));
    for (let at = 0; at < content.length;) {
      const bytesRead = readSync(file, content, at, content.length - at, null);
      if (bytesRead === 0) throw changed(found.path);
      at += bytesRead;
    }
    assertUnchanged(found, fstatSync(file, { bigint: true }));
    return content;
  } finally {
    closeSync(file);
  }
}

function addWhole(tar: Pack, found: FoundFile, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = tar.entry(headerOf(found), (error) => (error ? reject(error) : resolve()));
    if (content.length > 0) entry.write(content);
    entry.end(null);
  });
}

async function addStreamed(tar: Pack, found: FoundFile): Promise<void> {
  const file = await openFile(found.directory.at(found.name), READ);
  try {
    await new Promise<void>((resolve, reject) => {
      const entry = tar.entry(headerOf(found), (error) => (error ? reject(error) : resolve()));
      copy(file, entry as unknown as Writable, found).then(
        () => entry.end(null),
        (error: unknown) => {
          reject(error instanceof Error ? error : new Error(String(error)));
          entry.destroy();
        },
      );
    });
    assertUnchanged(found, await file.stat({ bigint: true }));
  } finally {
    await file.close();
  }
}

async function copy(file: FileHandle, entry: Writable, found: FoundFile): Promise<void> {
  const isHole = await hasNoBlocks(file, found.stat);
  for (let left = Number(found.stat.size); left > 0;) {
    const chunk = isHole ? ZEROS.subarray(0, Math.min(READ_SIZE, left)) : await readNext(file, left);
    if (chunk.length === 0) throw changed(found.path);
    left -= chunk.length;
    if (!entry.write(chunk)) await drained(entry);
  }
}

/** Into a buffer of its own each time: the stream may still hold the one before. */
async function readNext(file: FileHandle, atMost: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(READ_SIZE, atMost)), 0);
  return buffer.subarray(0, bytesRead);
}

/** The pod is quiesced: a file that changes all the same makes a snapshot of no one moment. */
function assertUnchanged(found: FoundFile, now: BigIntStats): void {
  const isSame = identityOf(now) === identityOf(found.stat) && now.size === found.stat.size && now.mtimeNs === found.stat.mtimeNs;
  if (!isSame) throw changed(found.path);
}

function changed(path: RawPath): Error {
  return new Error(`a file changed while it was read: ${toText(path)}`);
}
