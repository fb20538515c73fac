import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * What was written goes to the disk. Whoever waits for the disk (fsync) would wait for what the turn before left unwritten, too, since a file system
 * writes in order; whoever does not would leave it to the next.
 */
export async function diskAtRest(): Promise<void> {
  await promisify(execFile)('sync');
}
