import { chmod, lstat, readdir, rename } from 'node:fs/promises';
import { join, onDisk, type RawPath } from '../files/raw-path';
import { RESTORE_AREA } from '../files/restore-area';

/**
 * Moves what is in the workspace to `old`, and what is in `fresh` into the workspace: one rename a child, no copy. Where one fails, those before
 * it are taken back.
 */
export async function replaceChildren(workspace: RawPath, fresh: RawPath, old: RawPath): Promise<void> {
  const moved: [from: RawPath, to: RawPath][] = [];
  const moveAll = async (from: RawPath, to: RawPath): Promise<void> => {
    for (const name of await readdir(onDisk(from), 'latin1')) {
      if (name === RESTORE_AREA) continue;
      await move(join(from, name), join(to, name));
      moved.push([join(from, name), join(to, name)]);
    }
  };
  try {
    await moveAll(workspace, old);
    await moveAll(fresh, workspace);
  } catch (error) {
    for (const [from, to] of moved.reverse()) await move(to, from).catch(() => undefined);
    throw error;
  }
}

/** To another directory. That changes the entry `..` of a directory, which one that forbids its owner to write does not let happen. */
async function move(from: RawPath, to: RawPath): Promise<void> {
  const stat = await lstat(onDisk(from));
  const mode = stat.mode & 0o7777;
  const isLocked = stat.isDirectory() && (mode & 0o200) === 0;
  if (isLocked) await chmod(onDisk(from), mode | 0o200);
  let at = from;
  try {
    await rename(onDisk(from), onDisk(to));
    at = to;
  } finally {
    if (isLocked) await chmod(onDisk(at), mode);
  }
}
