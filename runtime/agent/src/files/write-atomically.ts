import { constants, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Directory } from './directory';
import type { RawPath } from './raw-path';
import { removeTree } from './remove-tree';

const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;

/** Replaces a file as a whole: readers see the old content or the new. Durable once it resolves, but for the name itself. */
export async function writeAtomically(directory: Directory, name: RawPath, content: string): Promise<void> {
  const aside = `${name}.new`;
  // Left by a crash, or put there by a task.
  await removeTree(directory, aside);
  const file = await open(directory.at(aside), CREATE, 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  renameSync(directory.at(aside), directory.at(name));
}
