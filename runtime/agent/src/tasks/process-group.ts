import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time between SIGTERM and SIGKILL. */
export const KILL_AFTER_MS = 5_000;
/** SIGKILL cannot be ignored, but a process in an uninterruptible wait takes it late. */
const GONE_AFTER_MS = 3_000;
const POLL_MS = 20;

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
  const names = await readdir('/proc').catch(() => null);
  if (names === null) return true;
  const states = await Promise.all(names.filter((name) => /^[0-9]+$/.test(name)).map((name) => stateIn(pgid, name)));
  return states.some((state) => state !== null && state !== 'Z' && state !== 'X');
}

/** The state letter of a process; null where it has gone or is of another group. */
async function stateIn(pgid: number, pid: string): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // The name stands in brackets and may hold anything: what counts comes after the last one.
  const [state = null, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(group) === pgid ? state : null;
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
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (pid) => ((await isMarked(pid, mark)) ? pid : null)));
  // A container's init has the container's environment, and with it the mark: it is not the tasks'.
  const spared = [process.pid, process.ppid, 1];
  return found.filter((pid): pid is number => pid !== null && !spared.includes(pid));
}

async function isMarked(pid: number, mark: string): Promise<boolean> {
  // Latin1: a search for bytes, whatever they are. A process that has ended has an empty environment.
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return `\0${environment}`.includes(`\0REPRISE_POD=${Buffer.from(mark, 'utf8').toString('latin1')}\0`);
}
