import { fchmodSync, rmdirSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { openDirectory, walkTree } from './walk-tree';

/** What the plain way cannot do: a directory that its owner may not write, and a path that is longer than the kernel takes. */
const HARD: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'ENAMETOOLONG', 'ELOOP']);

/**
 * Removes a tree of any depth, whatever the modes of its directories are: tasks leave such behind. Resolves also where nothing is there. Only where
 * nobody else works in it.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!HARD.has((error as NodeJS.ErrnoException).code)) throw error;
    await walkTree(path, { visit: isRemovedFile, leave: rmdirSync, open: openToEmpty });
  }
}

/** False for a directory. */
function isRemovedFile(path: Buffer): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR' || code === 'EPERM') return false;
    throw error;
  }
}

/** One that its owner may not write lets itself be emptied then. */
function openToEmpty(path: Buffer): number {
  const directory = openDirectory(path);
  fchmodSync(directory, 0o700);
  return directory;
}
