import { chmodSync, constants, existsSync, lstatSync, readFileSync, rmdirSync } from 'node:fs';
import { access, mkdir, readFile as read, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { walkTree } from './walk-tree';

const ATTEMPTS = 20;
const PAUSE_MS = 10;
const PROCESSES = Buffer.from('cgroup.procs');

/** The directory of the cgroup of version 2 that this process is in; null where the machine has none. */
export async function ownCgroup(): Promise<string | null> {
  const own = (name: string): Promise<string> => read(`/proc/self/${name}`, 'utf8').catch(() => '');
  return cgroupIn(await own('mountinfo'), await own('cgroup'));
}

/** From the contents of /proc/self/mountinfo and /proc/self/cgroup. */
export function cgroupIn(mountInfo: string, cgroups: string): string | null {
  // `0::` is version 2's hierarchy (cgroups(7)).
  const path = /^0::(\/.*)$/m.exec(cgroups)?.[1];
  if (path === undefined) return null;
  for (const line of mountInfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    if (!after.startsWith('cgroup2 ')) continue;
    const [root = '', mountPoint = ''] = before.split(' ').slice(3, 5).map(unescaped);
    if (root === '/') return join(mountPoint, path).replace(/\/$/, '');
    if (path === root || path.startsWith(`${root}/`)) return join(mountPoint, path.slice(root.length));
  }
  return null;
}

/** Makes a cgroup below another one, where it is not there yet. */
export async function makeCgroup(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** A command that first moves itself into a cgroup. The process keeps its id. */
export function inCgroup(directory: string, command: readonly string[]): [string, ...string[]] {
  return ['/bin/sh', '-c', 'echo 0 > "$0/cgroup.procs" && exec "$@"', directory, ...command];
}

/** Every process in a cgroup and in those below it, at any depth: a pod may make such. None where it is gone. */
export async function processesIn(directory: string): Promise<number[]> {
  const found: number[] = [];
  const visit = (path: Buffer, name: Buffer): boolean => {
    if (lstatSync(path).isDirectory()) return false;
    if (name.equals(PROCESSES)) for (const pid of listed(path)) found.push(pid);
    return true;
  };
  await walkTree(directory, { visit }).catch(unlessThere);
  return found;
}

/**
 * Ends every process in a cgroup at one instant, where the kernel can (Linux 5.14). Otherwise it stops them, so that none forks while they are ended one by
 * one: a stopped process takes SIGKILL.
 * @returns whether nothing more has to be done
 */
export async function killCgroup(directory: string): Promise<boolean> {
  if (await write(join(directory, 'cgroup.kill'), '1')) return true;
  await write(join(directory, 'cgroup.freeze'), '1');
  return false;
}

/** Removes a cgroup that has no processes any more, and those that a pod has made in it. One that is not let go stays, and is empty. */
export async function removeCgroup(directory: string): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    await walkTree(directory, { visit: (path) => !lstatSync(path).isDirectory(), leave: removeIfEmpty }).catch(unlessThere);
    if (!existsSync(directory)) return;
    // The kernel may hold it for a moment after its last process has ended.
    await sleep(PAUSE_MS);
  }
}

function listed(path: Buffer): number[] {
  try {
    return readFileSync(path, 'latin1').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    // A cgroup of threads: their processes are listed above it.
    if ((error as NodeJS.ErrnoException).code === 'EOPNOTSUPP') return [];
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    // The pod may change the mode, and so may we: it is one user.
    chmodSync(path, 0o600);
    return readFileSync(path, 'latin1').split('\n').filter(Boolean).map(Number);
  }
}

function removeIfEmpty(path: Buffer): void {
  try {
    rmdirSync(path);
  } catch {
    // Not yet.
  }
}

/** A cgroup that is gone has no processes. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (!['ENOENT', 'ENOTDIR', 'ENODEV'].includes(error.code ?? '')) throw error;
}

/** False where the kernel has no such file. It is never made. */
async function write(file: string, text: string): Promise<boolean> {
  try {
    await access(file, constants.W_OK);
    await writeFile(file, text, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

/** The kernel writes spaces and the like in paths as octal numbers. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
