import { readdirSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readProc } from './proc-file';

/** A process as the kernel tells of it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly hasTerminal: boolean;
  /** In clock ticks since the boot: with the pid, it names one process. */
  readonly start: string;
  /** Not of the kernel's own threads. */
  readonly hasMemory: boolean;
  /** Where /proc tells of it: of a thread that lives, where the first one has ended. */
  readonly path: string;
}

/** One directory of /proc: a process's own, or that of one of its threads. */
interface Task extends ProcessInfo {
  readonly threads: number;
}

/** How many files of /proc are read in one turn of the event loop. */
const READ_AT_ONCE = 64;

/** Every process that is alive, a zombie is not; or those alone that `isWanted`, of which less is read. None where there is no /proc. */
export async function livingProcesses(isWanted?: (pid: number) => boolean): Promise<ProcessInfo[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const found: ProcessInfo[] = [];
  for (const [n, pid] of pids.entries()) {
    if (n % READ_AT_ONCE === READ_AT_ONCE - 1) await nextTurn();
    if (isWanted === undefined || isWanted(pid)) found.push(...livingOf([pid]));
  }
  return found;
}

/** Those of these ids that are alive. */
export function livingOf(pids: readonly number[]): ProcessInfo[] {
  return pids.map(processOf).filter((info) => info !== null && isLiving(info)) as ProcessInfo[];
}

/**
 * An orphan that has ended stays a zombie until the system's first process looks after it, which in a container may be never, and signal 0 does not
 * tell it from one that lives.
 */
export function isLiving({ state }: ProcessInfo): boolean {
  return state !== 'Z' && state !== 'X';
}

export function isStopped({ state }: ProcessInfo): boolean {
  return state === 'T' || state === 't';
}

export function isUninterruptible({ state }: ProcessInfo): boolean {
  return state === 'D';
}

/** Null where it has gone. The kernel has this at hand: no turn of the thread pool is needed, which takes ten times as long. */
export function processOf(pid: number): ProcessInfo | null {
  const first = taskAt(`/proc/${pid}`, pid);
  // A process whose first thread has ended looks like a zombie while its other threads run. Of a zombie one thread is left.
  if (first === null || isLiving(first) || first.threads <= 1) return first;
  const thread = livingThreadOf(pid);
  return thread === null ? first : { ...first, state: thread.state, hasMemory: thread.hasMemory, path: thread.path };
}

/** One that is not stopped, if there is any: a process stands still when all its threads do. */
function livingThreadOf(pid: number): Task | null {
  let stopped: Task | null = null;
  for (const id of threadsOf(pid)) {
    const thread = taskAt(`/proc/${pid}/task/${id}`, pid);
    if (thread === null || !isLiving(thread)) continue;
    if (!isStopped(thread)) return thread;
    stopped ??= thread;
  }
  return stopped;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // It has gone meanwhile.
  }
}

function taskAt(path: string, pid: number): Task | null {
  const stat = readProc(`${path}/stat`);
  // The name stands in brackets and may hold anything: what counts comes after the last one. The state is the 3rd field, the number of threads the 20th
  // (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session, terminal] = fields;
  const [threads, start, memory] = [fields[17], fields[19], fields[20]];
  if (state === undefined || start === undefined) return null;
  return {
    pid,
    state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    hasTerminal: terminal !== '0',
    threads: Number(threads),
    start,
    hasMemory: memory !== '0',
    path,
  };
}

/** The users that a process runs as: real, effective, saved, and the file system's. Empty where it has gone. */
export function usersOf(pid: number): number[] {
  const status = readProc(`/proc/${pid}/status`);
  const at = status.indexOf('\nUid:\t') + 6;
  return at < 6 ? [] : status.slice(at, status.indexOf('\n', at)).split('\t').map(Number);
}

/** Null where it has gone, or the system does not say. */
export function directoryOf({ path }: ProcessInfo): string | null {
  try {
    return readlinkSync(`${path}/cwd`);
  } catch {
    return null;
  }
}
