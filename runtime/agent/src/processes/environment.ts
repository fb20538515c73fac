import { open } from 'node:fs/promises';
import type { ProcessInfo } from './process-table';

const CHUNK = 64 * 1024;
/** A role's environment has at most 128 KiB. A process may give itself one of any size, and read it whole would be as much memory as it likes. */
const MOST_READ = 1024 * 1024;
/** Enough to keep the thread pool busy. */
const AT_ONCE = 8;

/**
 * Those that were started with this entry (`NAME=value`) in the first MiB of their environment. By the thread pool: an environment is the process's own
 * memory, and one that is stuck in the kernel may keep its reader waiting.
 */
export async function startedWith(entry: string, all: readonly ProcessInfo[]): Promise<ProcessInfo[]> {
  const found: ProcessInfo[] = [];
  const left = all.filter(({ hasMemory }) => hasMemory).values();
  const search = async (): Promise<void> => {
    const wanted = Buffer.from(`\0${entry}\0`);
    const buffer = Buffer.alloc(wanted.length + CHUNK);
    // All of them take from one iterator.
    for (const it of left) if (await holds(`${it.path}/environ`, wanted, buffer).catch(() => false)) found.push(it);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, search));
  return found;
}

/** @param wanted with a NUL before and after it, as entries have */
async function holds(path: string, wanted: Buffer, buffer: Buffer): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    // What is kept of the chunk before, in which the entry may begin. Before the first one there is as good as a NUL.
    buffer[0] = 0;
    let kept = 1;
    for (let position = 0; position < MOST_READ;) {
      const { bytesRead } = await file.read(buffer, kept, CHUNK, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const end = kept + bytesRead;
      if (buffer.subarray(0, end).includes(wanted)) return true;
      kept = Math.min(end, wanted.length - 1);
      buffer.copyWithin(0, end - kept, end);
    }
    return false;
  } finally {
    await file.close();
  }
}
