import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  utimesSync,
  type BigIntStats,
} from 'node:fs';
import { codeOf } from '../log';
import { secondsText } from './set-mtime';
import type { RawPath } from './raw-path';

/** Linux: names a file without opening it, so that no right on it is needed. Node has no name for the flag. */
const O_PATH = 0o10000000;

/**
 * A directory that is held open. What is in it is named by `/proc/self/fd/<descriptor>/<name>`, since Node has no `openat`: no path grows with the depth
 * of the tree, and whatever is renamed or replaced by a link on the way there changes nothing. Close it; it holds a descriptor.
 */
export class Directory {
  private constructor(private readonly descriptor: number) {}

  /** A directory that whoever started the agent named: links on the way are followed. */
  static open(path: string | Buffer): Directory {
    return new Directory(openSync(path, O_PATH | constants.O_DIRECTORY));
  }

  /** A directory in this one. @throws ENOTDIR for anything else, a link to a directory included */
  child(name: RawPath): Directory {
    return new Directory(openSync(this.at(name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW));
  }

  /** The directory that this one is in. */
  parent(): Directory {
    return new Directory(openSync(this.at('..'), O_PATH | constants.O_DIRECTORY));
  }

  /** The path of something in this directory, for the calls of node:fs. Good for as long as the directory is open. */
  at(name: RawPath): Buffer {
    return Buffer.from(`${this.path}/${name}`, 'latin1');
  }

  names(): RawPath[] {
    return readdirSync(this.path, 'latin1');
  }

  stat(): BigIntStats {
    return fstatSync(this.descriptor, { bigint: true });
  }

  chmod(mode: number): void {
    chmodSync(this.path, mode);
  }

  chown(uid: number, gid: number): void {
    chownSync(this.path, uid, gid);
  }

  /** In microseconds since 1970. */
  setMtime(micros: bigint): void {
    const time = secondsText(micros);
    utimesSync(this.path, time, time);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** The kernel's own link to the directory: to follow it is to be there. */
  private get path(): string {
    return `/proc/self/fd/${this.descriptor}`;
  }
}

/** What is at this name; null where nothing is. Follows no link. */
export function statAt(directory: Directory, name: RawPath): BigIntStats | null {
  return lstatSync(directory.at(name), { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** Tells two files apart, and one file's names together. */
export function identityOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}

/**
 * Gives the owner these rights to a file or directory where its mode denies them; root needs no right. Returns what takes them back. Nothing is changed
 * where something else has taken the place of what `stat` is of: a link that was put there is not followed.
 */
export function openUp(directory: Directory, name: RawPath, stat: BigIntStats, rights: number): () => void {
  const mode = Number(stat.mode) & 0o7777;
  if (process.geteuid?.() === 0 || (mode & rights) === rights) return () => undefined;
  const descriptor = openSync(directory.at(name), O_PATH | constants.O_NOFOLLOW);
  const path = `/proc/self/fd/${descriptor}`;
  try {
    if (identityOf(fstatSync(descriptor, { bigint: true })) === identityOf(stat)) chmodSync(path, mode | rights);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return () => {
    try {
      chmodSync(path, mode);
    } finally {
      closeSync(descriptor);
    }
  };
}

/** The same of a directory that is open. One that is another user's is left as it is: the rights of the agent's group may do. */
export function openUpSelf(directory: Directory, rights: number): () => void {
  const mode = Number(directory.stat().mode) & 0o7777;
  if (process.geteuid?.() === 0 || (mode & rights) === rights) return () => undefined;
  try {
    directory.chmod(mode | rights);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
    return () => undefined;
  }
  return () => directory.chmod(mode);
}
