import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Time between SIGTERM and SIGKILL. */
export const KILL_AFTER_MS = 5_000;
/** SIGKILL cannot be ignored, but a process in an uninterruptible wait takes it late. */
const GONE_AFTER_MS = 3_000;
const POLL_MS = 20;
/** How many files of /proc are read in one turn of the event loop. */
const READ_AT_ONCE = 64;

/** Ends a whole process group: SIGTERM, five seconds, SIGKILL. Resolves when it is gone, or nothing more can be done. */
export async function endGroup(pgid: number, killAfterMs = KILL_AFTER_MS): Promise<void> {
  await endAll(async () => ((await hasLiving(pgid)) ? [-pgid] : []), killAfterMs);
}

/**
 * Ends every process that carries this pod's mark and is not the agent: what tasks left running in the background, also
 * in sessions of their own. Where the system shows no environments (no /proc), nothing is found.
 */
export async function endMarked(mark: string, killAfterMs = KILL_AFTER_MS): Promise<void> {
  await endAll(() => findMarked(mark), killAfterMs);
}

async function endAll(find: () => Promise<number[]>, killAfterMs: number): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGTERM', killAfterMs],
    ['SIGKILL', GONE_AFTER_MS],
  ] as const) {
    const until = Date.now() + patienceMs;
    // SIGKILL goes out again and again: a dying process may have forked just before.
    let signalled = false;
    for (;;) {
      const alive = (await find()).filter((target) => isAlive(target));
      if (alive.length === 0) return;
      if (!signalled || signal === 'SIGKILL') for (const target of alive) send(target, signal);
      signalled = true;
      if (Date.now() >= until) break;
      await sleep(POLL_MS);
    }
  }
}

/**
 * Whether a process of the group does more than wait to be reaped. An orphan that has ended stays a zombie until the system's first process looks
 * after it, which in a container may be never, and signal 0 does not tell it from one that lives.
 */
async function hasLiving(pgid: number): Promise<boolean> {
  const pids = await pidsOf();
  if (pids === null) return true;
  for (const [at, pid] of pids.entries()) {
    if (at > 0 && at % READ_AT_ONCE === 0) await nextTurn();
    const state = stateIn(pgid, pid);
    if (state !== null && state !== 'Z' && state !== 'X') return true;
  }
  return false;
}

/** The state letter of a process; null where it has gone or is of another group. The kernel has it at hand: no turn of the thread pool is needed. */
function stateIn(pgid: number, pid: number): string | null {
  const [state = null, , group] = statOf(pid) ?? [];
  return Number(group) === pgid ? state : null;
}

/** What the kernel tells of a process, from its state on, which is the 3rd field; null where it has gone. */
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in brackets and may hold anything: what counts comes after the last one.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function isAlive(target: number): boolean {
  return send(target, 0);
}

/** A negative target is a group. False where there is no such process. */
function send(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function findMarked(mark: string): Promise<number[]> {
  const pids = (await pidsOf()) ?? [];
  const found: (number | null)[] = [];
  for (let at = 0; at < pids.length; at += READ_AT_ONCE) {
    const some = pids.slice(at, at + READ_AT_ONCE);
    found.push(...(await Promise.all(some.map(async (pid) => ((await isMarked(pid, mark)) ? pid : null)))));
  }
  // A container's init has the container's environment, and with it the mark: it is not the tasks'.
  const spared = [process.pid, process.ppid, 1];
  return found.filter((pid): pid is number => pid !== null && !spared.includes(pid));
}

/** By the thread pool: an environment is the process's own memory, and one that is stuck in the kernel may keep its reader waiting. */
async function isMarked(pid: number, mark: string): Promise<boolean> {
  // The kernel's own threads, half of what there is on a small machine, have no memory of their own: the 23rd field (proc(5)).
  if (statOf(pid)?.[20] === '0') return false;
  // Latin1: a search for bytes, whatever they are. A process that has ended has an empty environment.
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return `\0${environment}`.includes(`\0REPRISE_POD=${Buffer.from(mark, 'utf8').toString('latin1')}\0`);
}

/** Null where there is no /proc. */
async function pidsOf(): Promise<number[] | null> {
  const names = await readdir('/proc').catch(() => null);
  return names?.filter((name) => /^[0-9]+$/.test(name)).map(Number) ?? null;
}
