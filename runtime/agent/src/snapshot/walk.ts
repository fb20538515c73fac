import { chmodSync, lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs';
import { join, onDisk, type RawPath } from '../files/raw-path';
import { RESTORE_AREA } from '../files/restore-area';

/** One thing in the workspace. `path` is relative to the workspace; empty for the workspace itself. */
export type Found = { readonly path: RawPath; readonly stat: BigIntStats } & (
  | { readonly type: 'directory' }
  | { readonly type: 'file' }
  | { readonly type: 'symlink'; readonly target: RawPath }
  /** Another name of a file that was found before. */
  | { readonly type: 'link'; readonly target: RawPath }
  /** A socket, a fifo or a device: it has no content that could be carried. */
  | { readonly type: 'skipped'; readonly kind: string }
);

/**
 * Walks a tree depth first, a directory before what is in it, names in byte order: the same tree gives the same walk.
 * Follows no symlink, and leaves out what a restore works in. Memory grows with the depth, the widest directory and the number of hard-linked files, not with
 * the tree. Synchronous: a call through the thread pool costs several times what the call itself does, and a pod that is
 * saved is at rest.
 */
export function* walk(root: RawPath): Generator<Found> {
  const linked = new Map<string, RawPath>();
  yield* visit(root, '', linked);
}

function* visit(root: RawPath, path: RawPath, linked: Map<string, RawPath>): Generator<Found> {
  const absolute = path === '' ? root : join(root, path);
  const stat = lstatSync(onDisk(absolute), { bigint: true });
  if (stat.isDirectory()) {
    yield { path, stat, type: 'directory' };
    const close = openUp(absolute, stat, 0o500);
    try {
      const names = readdirSync(onDisk(absolute), 'latin1');
      for (const name of names.sort()) if (path !== '' || name !== RESTORE_AREA) yield* visit(root, join(path, name), linked);
    } finally {
      close();
    }
  } else if (stat.isFile()) {
    const first = stat.nlink > 1n ? linked.get(identity(stat)) : undefined;
    if (first !== undefined) {
      yield { path, stat, type: 'link', target: first };
      return;
    }
    if (stat.nlink > 1n) linked.set(identity(stat), path);
    yield { path, stat, type: 'file' };
  } else if (stat.isSymbolicLink()) {
    yield { path, stat, type: 'symlink', target: readlinkSync(onDisk(absolute), 'latin1') };
  } else {
    yield { path, stat, type: 'skipped', kind: kindOf(stat) };
  }
}

function identity(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}

function kindOf(stat: BigIntStats): string {
  return stat.isSocket() ? 'socket' : stat.isFIFO() ? 'fifo' : 'device';
}

/**
 * Gives the owner these rights for as long as the agent looks, where the mode denies them; root needs no right. Resolves
 * to what takes them back.
 */
export function openUp(absolute: RawPath, stat: BigIntStats, rights: number): () => void {
  const mode = Number(stat.mode) & 0o7777;
  if (process.geteuid?.() === 0 || (mode & rights) === rights) return () => undefined;
  chmodSync(onDisk(absolute), mode | rights);
  return () => chmodSync(onDisk(absolute), mode);
}
