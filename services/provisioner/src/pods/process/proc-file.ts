import { closeSync, openSync, readSync } from 'node:fs';

/** More than the longest `stat` or `status`. */
const buffer = Buffer.allocUnsafeSlow(16 * 1024);

/**
 * A small file of /proc, which the kernel has at hand: read without a turn of the thread pool, and in a quarter of the time that `readFileSync` takes, which
 * asks for a size that such files do not have. Empty where it is gone, or another user's.
 */
export function readProc(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, null));
  } catch {
    return '';
  } finally {
    closeSync(file);
  }
}
