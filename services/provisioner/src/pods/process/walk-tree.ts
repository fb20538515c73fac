import { chmodSync, closeSync, constants, openSync, readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** After so many steps others get their turn. */
const AT_ONCE = 64;

/** What is done in a tree. Each path names something in a directory that is open, and is good for this call alone. */
export interface TreeVisitor {
  /** False for a directory that is to be walked as well. */
  readonly visit: (path: Buffer, name: Buffer) => boolean;
  /** A directory, once all that is in it was visited; the top comes last. */
  readonly leave?: (path: Buffer) => void;
  /** How a directory is opened where its mode may forbid it. */
  readonly open?: (path: Buffer) => number;
}

/**
 * Walks a tree of any depth: tasks make such. Each name is looked up in the open directory that it is in, so no path gets long; one directory is open at a
 * time, whatever the depth is. A turn of the thread pool for each call would take ten times as long. What goes away meanwhile is passed over; what is moved
 * must not be.
 */
export async function walkTree(top: string, { visit, leave, open = openDirectory }: TreeVisitor): Promise<void> {
  let here = open(Buffer.from(top));
  const moveTo = (name: Buffer): void => {
    const next = open(within(here, name));
    closeSync(here);
    here = next;
  };
  try {
    const levels: { readonly name: Buffer; readonly left: Buffer[] }[] = [{ name: Buffer.from(top), left: namesIn(here) }];
    for (let done = 0, level = levels.at(-1); level; level = levels.at(-1)) {
      if (++done % AT_ONCE === 0) await nextTurn();
      const name = level.left.pop();
      if (name === undefined) {
        levels.pop();
        if (levels.length === 0) break;
        moveTo(Buffer.from('..'));
        leave?.(within(here, level.name));
      } else if (unlessGone(() => visit(within(here, name), name)) === false && unlessGone(() => moveTo(name) ?? true)) {
        levels.push({ name, left: unlessGone(() => namesIn(here)) ?? [] });
      }
    }
  } finally {
    closeSync(here);
  }
  leave?.(Buffer.from(top));
}

/** Follows no link. A directory that forbids its owner to read it is opened all the same. */
export function openDirectory(path: Buffer): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    chmodSync(path, 0o700);
    return openSync(path, flags);
  }
}

function namesIn(directory: number): Buffer[] {
  return readdirSync(Buffer.from(`/proc/self/fd/${directory}`), { encoding: 'buffer' });
}

/** Paths as bytes: a name that is no UTF-8 would not be found again. */
function within(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    // The second is said of a cgroup.
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
