import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until';

const DELETED_WITHIN_MS = 60_000;

/**
 * What pods have left is deleted, and what was written is on the disk. Whoever waits for the disk (fsync) would wait for what the turn before left
 * unwritten, too, since a file system writes in order; whoever does not would leave it to the next.
 * @param pods where pods as processes have their directories
 */
export async function diskAtRest(pods: string): Promise<void> {
  const removed = join(pods, '.removed');
  const isEmpty = (): Promise<boolean> => Promise.resolve(!existsSync(removed) || readdirSync(removed).length === 0);
  await until('what pods have left is deleted', isEmpty, { limitMs: DELETED_WITHIN_MS, everyMs: 20 });
  await promisify(execFile)('sync');
}
