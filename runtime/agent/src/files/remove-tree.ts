import { rmdirSync, unlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Cursor } from './cursor';
import { type Directory, openUpSelf, statAt } from './directory';
import type { RawPath } from './raw-path';

/** After so many removals others get their turn: a health check waits for no tree. */
const AT_ONCE = 256;

/** Removes what is at this name, a tree of any depth and whatever its modes are. Follows no link. Resolves also where nothing is there. */
export async function removeTree(directory: Directory, name: RawPath): Promise<void> {
  const stat = statAt(directory, name);
  if (stat === null) return;
  if (!stat.isDirectory()) return unlinkSync(directory.at(name));
  const cursor = new Cursor(directory);
  try {
    await empty(cursor, name);
  } finally {
    cursor.close();
  }
}

async function empty(cursor: Cursor, top: RawPath): Promise<void> {
  const levels: { readonly name: RawPath; readonly left: RawPath[] }[] = [];
  const enter = (name: RawPath): void => {
    cursor.enter(name);
    // A directory that forbids its owner to write keeps what is in it.
    openUpSelf(cursor.here, 0o700);
    levels.push({ name, left: cursor.here.names() });
  };
  enter(top);
  for (let done = 0, level = levels.at(-1); level; level = levels.at(-1)) {
    if (++done % AT_ONCE === 0) await nextTurn();
    const name = level.left.pop();
    if (name === undefined) {
      levels.pop();
      cursor.leave();
      rmdirSync(cursor.here.at(level.name));
    } else if (statAt(cursor.here, name)?.isDirectory()) {
      enter(name);
    } else {
      unlinkSync(cursor.here.at(name));
    }
  }
}
