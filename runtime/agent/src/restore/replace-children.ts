import { renameSync } from 'node:fs';
import { type Directory, openUp, statAt } from '../files/directory';
import type { RawPath } from '../files/raw-path';
import { RESTORE_AREA } from '../files/restore-area';

/**
 * Moves what is in the workspace to `old`, and what is in `fresh` into the workspace: one rename a child, no copy. Where one fails, those before
 * it are taken back.
 */
export function replaceChildren(workspace: Directory, fresh: Directory, old: Directory): void {
  const moved: [name: RawPath, from: Directory, to: Directory][] = [];
  const moveAll = (from: Directory, to: Directory): void => {
    for (const name of from.names()) {
      if (name === RESTORE_AREA) continue;
      move(name, from, to);
      moved.push([name, from, to]);
    }
  };
  try {
    moveAll(workspace, old);
    moveAll(fresh, workspace);
  } catch (error) {
    for (const [name, from, to] of moved.reverse()) takeBack(name, to, from);
    throw error;
  }
}

/** To another directory. That changes the entry `..` of a directory, which one that forbids its owner to write does not let happen. */
function move(name: RawPath, from: Directory, to: Directory): void {
  const stat = statAt(from, name);
  const close = stat?.isDirectory() ? openUp(from, name, stat, 0o200) : () => undefined;
  try {
    renameSync(from.at(name), to.at(name));
  } finally {
    close();
  }
}

function takeBack(name: RawPath, from: Directory, to: Directory): void {
  try {
    move(name, from, to);
  } catch {
    // The first failure is the one that is told.
  }
}
