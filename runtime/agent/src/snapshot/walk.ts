import { readlinkSync, type BigIntStats } from 'node:fs';
import { Cursor } from '../files/cursor';
import { type Directory, identityOf, openUpSelf, statAt } from '../files/directory';
import { join, toText, type RawPath } from '../files/raw-path';
import { RESTORE_AREA } from '../files/restore-area';

/** One thing in the workspace. `path` is relative to the workspace; empty for the workspace itself. */
export type Found = { readonly path: RawPath; readonly depth: number; readonly stat: BigIntStats } & (
  | { readonly type: 'directory' }
  /** `name` is its name in the directory that it is in, which is open until the walk goes on. */
  | { readonly type: 'file'; readonly directory: Directory; readonly name: RawPath }
  | { readonly type: 'symlink'; readonly target: RawPath }
  /** Another name of a file that was found before. */
  | { readonly type: 'link'; readonly target: RawPath }
  /** A socket, a fifo or a device: it has no content that could be carried. */
  | { readonly type: 'skipped'; readonly kind: string }
);

/** A directory that the walk is in. */
interface Level {
  readonly path: RawPath;
  readonly names: RawPath[];
  readonly next: number;
  /** Its own mode, where the walk has given itself more rights. */
  readonly mode: number | null;
}

/**
 * Walks a tree depth first, a directory before what is in it, names in byte order: the same tree gives the same walk.
 * Follows no symlink, and leaves out what a restore works in. Memory grows with the depth, the widest directory and the number of hard-linked files, not with
 * the tree. Synchronous: a call through the thread pool costs several times what the call itself does, and a pod that is
 * saved is at rest.
 */
export function* walk(root: Directory): Generator<Found> {
  const cursor = new Cursor(root);
  const linked = new Map<string, RawPath>();
  const levels: Level[] = [];
  const stat = root.stat();
  const closeRoot = openUpSelf(root, 0o500);
  try {
    yield { path: '', depth: 0, stat, type: 'directory' };
    levels.push({ path: '', names: namesIn(root, RESTORE_AREA), next: 0, mode: null });
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const name = level.names[level.next];
      if (name === undefined) {
        leave(cursor, levels);
        continue;
      }
      levels[levels.length - 1] = { ...level, next: level.next + 1 };
      const path = join(level.path, name);
      const stat = statAt(cursor.here, name);
      if (stat === null) throw new Error(`a file was removed while the workspace was read: ${toText(path)}`);
      if (!stat.isDirectory()) {
        yield found(cursor.here, name, path, levels.length, stat, linked);
        continue;
      }
      yield { path, depth: levels.length, stat, type: 'directory' };
      cursor.enter(name);
      const mode = Number(stat.mode) & 0o7777;
      openUpSelf(cursor.here, 0o500);
      const isOpened = Number(cursor.here.stat().mode & 0o7777n) !== mode;
      levels.push({ path, names: namesIn(cursor.here), next: 0, mode: isOpened ? mode : null });
    }
  } finally {
    try {
      while (levels.length > 1) leave(cursor, levels);
    } finally {
      cursor.close();
      closeRoot();
    }
  }
}

function leave(cursor: Cursor, levels: Level[]): void {
  const level = levels.pop();
  if (levels.length === 0) return;
  const mode = level?.mode ?? null;
  cursor.leave((directory) => mode !== null && directory.chmod(mode));
}

function namesIn(directory: Directory, without?: RawPath): RawPath[] {
  const names = directory.names().sort();
  return without === undefined ? names : names.filter((name) => name !== without);
}

function found(directory: Directory, name: RawPath, path: RawPath, depth: number, stat: BigIntStats, linked: Map<string, RawPath>): Found {
  const common = { path, depth, stat };
  if (stat.isFile()) {
    const first = stat.nlink > 1n ? linked.get(identityOf(stat)) : undefined;
    if (first !== undefined) return { ...common, type: 'link', target: first };
    if (stat.nlink > 1n) linked.set(identityOf(stat), path);
    return { ...common, type: 'file', directory, name };
  }
  if (stat.isSymbolicLink()) return { ...common, type: 'symlink', target: readlinkSync(directory.at(name), 'latin1') };
  return { ...common, type: 'skipped', kind: stat.isSocket() ? 'socket' : stat.isFIFO() ? 'fifo' : 'device' };
}
