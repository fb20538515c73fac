import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { codeOf } from '../log';
import { join, onDisk, type RawPath } from './raw-path';

/** Removes a tree whatever its modes are: a directory without write permission keeps others from removing what is in it. */
export async function removeTree(path: RawPath): Promise<void> {
  try {
    await rm(onDisk(path), { recursive: true, force: true });
  } catch (error) {
    if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') throw error;
    await unlock(path);
    await rm(onDisk(path), { recursive: true, force: true });
  }
}

async function unlock(path: RawPath): Promise<void> {
  try {
    if (!(await lstat(onDisk(path))).isDirectory()) return;
    await chmod(onDisk(path), 0o700);
    for (const name of await readdir(onDisk(path), 'latin1')) await unlock(join(path, name));
  } catch (error) {
    // The removal that failed goes on with the rest for a moment after it has said so.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
