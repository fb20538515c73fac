import { closeSync, constants, fchmodSync, fchownSync, ftruncateSync, futimesSync, openSync, writeSync } from 'node:fs';
import { AgentError } from '../errors';
import { secondsText } from '../files/set-mtime';
import { mtimeOf, ownerOf, type EntryHeader } from './entry-path';

/** An entry's bytes. tar-stream's streams are Node's in all but their types. */
export type Content = AsyncIterable<Buffer>;

/** What a file system allots at once: a hole is whole blocks. */
const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

/** Exclusive creation follows no symlink and opens nothing that is there. */
const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;

/**
 * Writes an entry's content to a file that is not there yet, and gives it its owner, mode and time. By synchronous calls, as all names and modes are set:
 * a call through the thread pool costs several times what the call itself does, and a pod that is restored has nothing else to do.
 * @throws AgentError `bad_archive` where the content is cut off; EEXIST
 */
export async function writeFile(path: Buffer, header: EntryHeader, content: Content): Promise<void> {
  const file = openSync(path, CREATE, 0o600);
  try {
    let position = 0;
    let written = 0;
    for await (const chunk of content) {
      for (const [start, end] of filled(chunk, position)) {
        writeAt(file, chunk.subarray(start, end), position + start);
        written = position + end;
      }
      position += chunk.length;
    }
    if (position !== (header.size ?? 0)) throw cutOff(header.name);
    if (written < position) ftruncateSync(file, position);
    settleFile(file, header);
  } finally {
    closeSync(file);
  }
}

/**
 * What of a chunk has to be written: all but its blocks of zeros, which are left as holes: what is not written reads as zeros. A sparse file comes back
 * sparse, and so does one that was full of zeros.
 */
export function filled(chunk: Buffer, position: number): [start: number, end: number][] {
  const parts: [number, number][] = [];
  let start = -1;
  for (let at = 0; at < chunk.length;) {
    // To the next block of the file, which need not begin where a chunk does.
    const end = Math.min(chunk.length, at + BLOCK - ((position + at) % BLOCK));
    const isHole = chunk.compare(ZEROS, 0, end - at, at, end) === 0;
    if (!isHole && start < 0) start = at;
    if (isHole && start >= 0) {
      parts.push([start, at]);
      start = -1;
    }
    at = end;
  }
  if (start >= 0) parts.push([start, chunk.length]);
  return parts;
}

/** Owner, mode, time, in this order: a change of owner takes away setuid, a change of either alters no mtime. */
function settleFile(file: number, header: EntryHeader): void {
  if (process.geteuid?.() === 0) {
    const { uid, gid } = ownerOf(header);
    fchownSync(file, uid, gid);
  }
  fchmodSync(file, (header.mode ?? 0o700) & 0o7777);
  const time = secondsText(mtimeOf(header));
  futimesSync(file, time, time);
}

/** One write may take less than all of it, on a disk that fills up. */
function writeAt(file: number, chunk: Buffer, position: number): void {
  for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at, chunk.length - at, position + at);
}

function cutOff(name: string): AgentError {
  return new AgentError('bad_archive', `the archive ends within ${JSON.stringify(name.slice(0, 300))}`);
}
