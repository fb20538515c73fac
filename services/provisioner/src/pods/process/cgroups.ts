import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ATTEMPTS = 20;
const PAUSE_MS = 10;

/** The directory of the cgroup of version 2 that this process is in; null where the machine has none. */
export async function ownCgroup(): Promise<string | null> {
  const read = (name: string): Promise<string> => readFile(`/proc/self/${name}`, 'utf8').catch(() => '');
  return cgroupIn(await read('mountinfo'), await read('cgroup'));
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

/** Every process in a cgroup and in those below it; none where it is gone. */
export async function processesIn(directory: string): Promise<number[]> {
  const lists = await Promise.all((await tree(directory)).map((each) => readFile(join(each, 'cgroup.procs'), 'utf8').catch(() => '')));
  return lists.join('\n').split('\n').filter(Boolean).map(Number);
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
    const all = (await tree(directory)).reverse();
    if (all.length === 0) return;
    for (const each of all) await rmdir(each).catch(() => undefined);
    // The kernel may hold it for a moment after its last process has ended.
    if (attempt > 1) await sleep(PAUSE_MS);
  }
}

/** Parents before their children. */
async function tree(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => null);
  if (entries === null) return [];
  const below = await Promise.all(entries.filter((it) => it.isDirectory()).map(({ name }) => tree(join(directory, name))));
  return [directory, ...below.flat()];
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
