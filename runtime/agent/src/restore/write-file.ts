import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { AgentError } from '../errors';
import { onDisk, type RawPath } from '../files/raw-path';
import type { EntryHeader } from './entry-path';

/** An entry's bytes. tar-stream's streams are Node's in all but their types. */
export type Content = AsyncIterable<Buffer>;

/**
 * Up to this size a file is written by synchronous calls, as all names and modes are: a call through the thread pool costs
 * several times what the call itself does, and a pod that is restored has nothing else to do.
 */
const SMALL = 64 * 1024;
/** Below this a hole is not worth a system call. */
const HOLE = 4096;
const ZEROS = Buffer.alloc(256 * 1024);

/** Exclusive creation follows no symlink and opens nothing that is there. */
const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;

/** Writes an entry's content to a file that is not there yet. @throws AgentError `bad_archive` where the content is cut off; EEXIST */
export async function writeFile(path: RawPath, header: EntryHeader, content: Content): Promise<void> {
  const size = header.size ?? 0;
  if (size <= SMALL) return writeSmallFile(path, size, await contentOf(content), header.name);
  const file = await open(onDisk(path), CREATE, 0o600);
  try {
    let position = 0;
    for await (const chunk of content) {
      // A hole is left where there are only zeros: a sparse file comes back sparse.
      if (chunk.length < HOLE || !isZero(chunk)) await writeAt(file, chunk, position);
      position += chunk.length;
    }
    assertWhole(position, size, header.name);
    await file.truncate(position);
  } finally {
    await file.close();
  }
}

function writeSmallFile(path: RawPath, size: number, content: Buffer, name: string): void {
  assertWhole(content.length, size, name);
  const file = openSync(onDisk(path), CREATE, 0o600);
  try {
    for (let at = 0; at < content.length;) at += writeSync(file, content, at);
  } finally {
    closeSync(file);
  }
}

/** One write may take less than all of it, on a disk that fills up. */
async function writeAt(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at, chunk.length - at, position + at)).bytesWritten;
}

async function contentOf(content: Content): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function assertWhole(found: number, size: number, name: string): void {
  if (found !== size) throw new AgentError('bad_archive', `the archive ends within ${JSON.stringify(name.slice(0, 300))}`);
}

function isZero(chunk: Buffer): boolean {
  for (let at = 0; at < chunk.length; at += ZEROS.length) {
    const part = chunk.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}
