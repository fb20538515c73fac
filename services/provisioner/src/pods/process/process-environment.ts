import { open } from 'node:fs/promises';

/** All that is asked for of a process's environment. */
const NAMES = ['REPRISE_POD', 'REPRISE_MODE', 'REPRISE_ADDRESS_FILE'];
const PREFIXES = NAMES.map((name) => Buffer.from(`${name}=`));
const CHUNK = 64 * 1024;
/** A role's environment has at most 128 KiB. A process may give itself one of any size, and one that forks may have it a thousand times. */
export const MOST_READ = 1024 * 1024;
/** A longer entry is none of ours: the longest of them is a path. */
const LONGEST_ENTRY = 8 * 1024;

/** For `environmentAt`, which keeps nothing in it. */
export function readingBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(LONGEST_ENTRY + CHUNK);
}

/**
 * What a process was started with of these names, in the first MiB of its environment; empty where it has ended, or is another user's. By the thread pool: an
 * environment is the process's own memory, and one that is stuck in the kernel may keep its reader waiting.
 */
export async function environmentAt(path: string, buffer: Buffer): Promise<ReadonlyMap<string, string>> {
  const env = new Map<string, string>();
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return env;
  try {
    // What is kept of the chunk before, in which an entry may begin; `skipping` where one began that is too long.
    let [kept, skipping] = [0, false];
    for (let position = 0; position < MOST_READ;) {
      const { bytesRead } = await file.read(buffer, kept, CHUNK, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const end = kept + bytesRead;
      let begin = 0;
      for (let at = buffer.indexOf(0); at >= 0 && at < end; at = buffer.indexOf(0, begin)) {
        if (!skipping) take(buffer.subarray(begin, at), env);
        [begin, skipping] = [at + 1, false];
      }
      kept = end - begin;
      if (kept > LONGEST_ENTRY) [kept, skipping] = [0, true];
      else buffer.copyWithin(0, begin, end);
    }
    if (!skipping) take(buffer.subarray(0, kept), env);
  } catch {
    // It ended meanwhile.
  } finally {
    await file.close();
  }
  return env;
}

/** Copies what it keeps: a part of a text would keep all of it. */
function take(entry: Buffer, env: Map<string, string>): void {
  const which = PREFIXES.findIndex((prefix) => entry.subarray(0, prefix.length).equals(prefix));
  const [name, prefix] = [NAMES[which], PREFIXES[which]];
  if (name !== undefined && prefix !== undefined) env.set(name, entry.toString('utf8', prefix.length));
}
