import { constants } from 'node:fs';
import { chmod, lstat, open, readFile, rename } from 'node:fs/promises';

/** Null where there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const SMALL = 4_096;

/** What a pod wrote, which may be a link, a pipe, or endless; null where it is not a small file. */
export async function readSmall(path: string): Promise<string | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(error.code ?? '')) return null;
    throw error;
  });
  if (file === null) return null;
  try {
    if (!(await file.stat()).isFile()) return null;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(SMALL), 0, SMALL, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Replaces a file as a whole; its content is durable once this resolves, its name once the directory is synced. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const aside = `${path}.new`;
  const file = await open(aside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
}

/** Makes the names in a directory durable. */
export async function sync(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Renames a directory into another parent. That changes its entry `..`, which the directory's own mode may forbid where the caller is not root:
 * tasks choose that mode.
 */
export async function moveDirectory(from: string, to: string): Promise<void> {
  const mode = (await lstat(from)).mode & 0o7777;
  const isLocked = (mode & 0o200) === 0;
  if (isLocked) await chmod(from, mode | 0o200);
  let at = from;
  try {
    await rename(from, to);
    at = to;
  } finally {
    if (isLocked) await chmod(at, mode);
  }
}
