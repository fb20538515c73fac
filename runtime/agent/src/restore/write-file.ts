import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { AgentError } from '../errors';
import { onDisk, type RawPath } from '../files/raw-path';
import type { EntryHeader } from './entry-path';

/** An entry's bytes. tar-stream's streams are Node's in all but their types. */
export type Content = AsyncIterable<Buffer>;

/** Below this a hole is not worth a system call. */
const HOLE = 4096;
const ZEROS = Buffer.alloc(256 * 1024);

/** Exclusive creation follows no symlink and opens nothing that is there. */
const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;

/**
 * Writes an entry's content to a file that is not there yet. By synchronous calls, as all names and modes are set: a call through the thread pool costs
 * several times what the call itself does, and a pod that is restored has nothing else to do.
 * @throws AgentError `bad_archive` where the content is cut off; EEXIST
 */
export async function writeFile(path: RawPath, header: EntryHeader, content: Content): Promise<void> {
  const file = openSync(onDisk(path), CREATE, 0o600);
  try {
    let position = 0;
    let endsInHole = false;
    for await (const chunk of content) {
      // A hole is left where there are only zeros: a sparse file comes back sparse.
      endsInHole = chunk.length >= HOLE && isZero(chunk);
      if (!endsInHole) writeAt(file, chunk, position);
      position += chunk.length;
    }
    if (position !== (header.size ?? 0)) throw cutOff(header.name);
    if (endsInHole) ftruncateSync(file, position);
  } finally {
    closeSync(file);
  }
}

/** One write may take less than all of it, on a disk that fills up. */
function writeAt(file: number, chunk: Buffer, position: number): void {
  for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at, chunk.length - at, position + at);
}

function cutOff(name: string): AgentError {
  return new AgentError('bad_archive', `the archive ends within ${JSON.stringify(name.slice(0, 300))}`);
}

function isZero(chunk: Buffer): boolean {
  for (let at = 0; at < chunk.length; at += ZEROS.length) {
    const part = chunk.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}
