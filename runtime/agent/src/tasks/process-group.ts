import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
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
  const stats = await readOfEach('stat');
  if (stats === null) return true;
  return stats.some(({ text }) => {
    // The name stands in brackets and may hold anything: what counts comes after the last one.
    const [state = '', , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return Number(group) === pgid && state !== 'Z' && state !== 'X';
  });
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
  const sought = `\0REPRISE_POD=${Buffer.from(mark, 'utf8').toString('latin1')}\0`;
  // A process that has ended has an empty environment.
  const marked = ((await readOfEach('environ')) ?? []).filter(({ text }) => `\0${text}`.includes(sought)).map(({ pid }) => pid);
  // A container's init has the container's environment, and with it the mark: it is not the tasks'.
  const spared = [process.pid, process.ppid, 1];
  return marked.filter((pid) => !spared.includes(pid));
}

/**
 * This file of every process, byte for character, of those that may be read; null where there is no /proc. Read without waiting, some in one
 * turn: these files are in memory, and a turn of the thread pool for each takes ten times as long.
 */
async function readOfEach(name: 'stat' | 'environ'): Promise<{ pid: number; text: string }[] | null> {
  const names = await readdir('/proc').catch(() => null);
  if (names === null) return null;
  const found: { pid: number; text: string }[] = [];
  for (const [at, pid] of names.filter((each) => /^[0-9]+$/.test(each)).entries()) {
    if (at > 0 && at % READ_AT_ONCE === 0) await nextTurn();
    try {
      found.push({ pid: Number(pid), text: readFileSync(`/proc/${pid}/${name}`, 'latin1') });
    } catch {
      // It has gone, or is another user's.
    }
  }
  return found;
}
