import { chmodSync, closeSync, constants, fchmodSync, openSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What the plain way cannot do: a directory that its owner may not write, and a path that is longer than the kernel takes. */
const HARD: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'ENAMETOOLONG', 'ELOOP']);
/** After so many removals others get their turn. */
const AT_ONCE = 64;

/**
 * Removes a tree of any depth, whatever the modes of its directories are: tasks leave such behind. Resolves also where nothing is there. Only where
 * nobody else works in it.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!HARD.has((error as NodeJS.ErrnoException).code)) throw error;
    await removeByOpenDirectories(path);
  }
}

/**
 * Each name is looked up in the open directory that it is in, so no path gets long; one directory is open at a time, whatever the depth is. A turn of
 * the thread pool for each call would take ten times as long.
 */
async function removeByOpenDirectories(path: string): Promise<void> {
  let here = openDirectory(Buffer.from(path));
  const moveTo = (name: Buffer): void => {
    const next = openDirectory(within(here, name));
    closeSync(here);
    here = next;
  };
  try {
    const levels: { readonly name: Buffer; readonly left: Buffer[] }[] = [{ name: Buffer.from(path), left: namesIn(here) }];
    for (let done = 0, level = levels.at(-1); level; level = levels.at(-1)) {
      if (++done % AT_ONCE === 0) await nextTurn();
      const name = level.left.pop();
      if (name === undefined) {
        levels.pop();
        if (levels.length === 0) break;
        moveTo(Buffer.from('..'));
        rmdirSync(within(here, level.name));
      } else if (!isRemovedFile(within(here, name))) {
        moveTo(name);
        levels.push({ name, left: namesIn(here) });
      }
    }
  } finally {
    closeSync(here);
  }
  rmdirSync(path);
}

/** False for a directory. */
function isRemovedFile(path: Buffer): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR' || code === 'EPERM') return false;
    if (code === 'ENOENT') return true;
    throw error;
  }
}

/** A directory that forbids its owner to read or write is opened all the same, and lets itself be emptied then. */
function openDirectory(path: Buffer): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  let directory: number;
  try {
    directory = openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    chmodSync(path, 0o700);
    directory = openSync(path, flags);
  }
  fchmodSync(directory, 0o700);
  return directory;
}

function namesIn(directory: number): Buffer[] {
  return readdirSync(Buffer.from(`/proc/self/fd/${directory}`), { encoding: 'buffer' });
}

/** Paths as bytes: a name that is no UTF-8 would not be found again. */
function within(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}
