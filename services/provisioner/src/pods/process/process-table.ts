import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { PodError } from '../pod-driver';
import { environmentAt, readingBuffer } from './process-environment';

/** One process that is alive: a zombie is not. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Whether a person's terminal controls it. */
  readonly hasTerminal: boolean;
  /** With the pid, names one process for ever: boot and start time. */
  readonly start: string;
  /** What it was started with, of what Reprise gives to its own; empty where the system does not say (another user's process). */
  readonly env: ReadonlyMap<string, string>;
  /** Its working directory; null where the system does not say. */
  readonly cwd: string | null;
}

interface Stat extends Pick<ProcessInfo, 'parent' | 'session' | 'hasTerminal' | 'start'> {
  readonly hasMemory: boolean;
  /** Where /proc tells of it: of a thread that lives, where the first one has ended. */
  readonly path: string;
}

/** The kernel's own threads, half of what there is on a small machine, have no memory of their own, and with it no environment. */
const NOTHING: ReadonlyMap<string, string> = new Map();
/** Enough at once to keep the thread pool busy, few enough to leave file handles for others. */
const AT_ONCE = 8;

/**
 * The machine's processes by /proc, which Linux alone has. What the kernel has at hand is read without a turn of the thread pool, which takes ten times as
 * long. An environment is not: it is the process's own memory, and a process that is stuck in the kernel may keep its reader waiting.
 */
export class ProcessTable {
  private bootId: string | undefined;

  /** When this process was started, or null where there is none of this pid (any more). */
  startOf(pid: number): string | null {
    return this.statOf(pid)?.start ?? null;
  }

  /** Every process that is alive now and may be looked at. */
  async all(): Promise<ProcessInfo[]> {
    return this.look(await this.pids());
  }

  /** Those that run as this user: by their real, effective, saved or file system's user. */
  async ofUser(uid: number): Promise<ProcessInfo[]> {
    return this.look((await this.pids()).filter((pid) => usersOf(pid).includes(uid)));
  }

  /** Those of these ids that live. */
  async of(pids: readonly number[]): Promise<ProcessInfo[]> {
    return this.look(pids);
  }

  /** Those that this process has started, or was given as orphans, and that live. */
  async childrenOf(pid: number): Promise<ProcessInfo[]> {
    const children = readOr(null, () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
    if (children !== null) return this.look(children.split(' ').filter(Boolean).map(Number));
    return (await this.all()).filter(({ parent }) => parent === pid);
  }

  /** The ids of a process, in the namespace of this process and in each one below that it is in; the last one is what it calls itself. */
  idsOf(pid: number): readonly number[] {
    const line = /^NSpid:\s+(.*)$/m.exec(readOr('', () => readFileSync(`/proc/${pid}/status`, 'latin1')));
    return line?.[1]?.split(/\s+/).map(Number) ?? [pid];
  }

  isOfUser(pid: number, uid: number): boolean {
    return usersOf(pid).includes(uid);
  }

  /** Every user that something runs as. */
  async usersRunning(): Promise<number[]> {
    return (await this.pids()).flatMap(usersOf);
  }

  private async pids(): Promise<number[]> {
    const names = await readdir('/proc').catch((error: unknown) => {
      throw new PodError('unavailable', 'pods as processes need Linux: there is no /proc here', { cause: error });
    });
    return names.filter((name) => /^[0-9]+$/.test(name)).map(Number);
  }

  private async look(pids: readonly number[]): Promise<ProcessInfo[]> {
    const found: ProcessInfo[] = [];
    const buffers = Array.from({ length: Math.min(AT_ONCE, pids.length) }, readingBuffer);
    for (let at = 0; at < pids.length; at += AT_ONCE) {
      const some = await Promise.all(buffers.map((buffer, n) => this.infoOf(pids[at + n], buffer)));
      found.push(...some.filter((info) => info !== null));
    }
    return found;
  }

  private async infoOf(pid: number | undefined, buffer: Buffer): Promise<ProcessInfo | null> {
    const stat = pid === undefined ? null : this.statOf(pid);
    if (pid === undefined || !stat) return null;
    const { hasMemory, path, parent, session, hasTerminal, start } = stat;
    const env = hasMemory ? await environmentAt(`${path}/environ`, buffer) : NOTHING;
    return { pid, parent, session, hasTerminal, start, env, cwd: readOr(null, () => readlinkSync(`${path}/cwd`)) };
  }

  /** Null where nothing of it runs any more. */
  private statOf(pid: number): Stat | null {
    const first = this.statAt(`/proc/${pid}`);
    if (!first?.hasEnded) return first;
    // A process whose first thread has ended looks like a zombie while its other threads run, and no more is told there of its memory and its directory
    // than of a zombie's. Of a zombie one thread is left.
    if (first.threads <= 1) return null;
    for (const id of readOr([], () => readdirSync(`/proc/${pid}/task`))) {
      const thread = this.statAt(`/proc/${pid}/task/${id}`);
      if (thread && !thread.hasEnded) return { ...first, hasMemory: thread.hasMemory, path: thread.path };
    }
    return null;
  }

  private statAt(path: string): (Stat & { hasEnded: boolean; threads: number }) | null {
    const text = readOr('', () => readFileSync(`${path}/stat`, 'utf8'));
    // The second field is the program's name in parentheses, and may hold anything, parentheses too: fields count from
    // behind the last one. State is the 3rd field, parent the 4th, session the 6th, terminal the 7th, the number of threads the 20th, start time in clock
    // ticks since boot the 22nd, size of its memory the 23rd (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state, parent, session, terminal] = [fields[0], fields[1], fields[3], fields[4]];
    const [threads, start, memory] = [fields[17], fields[19], fields[20]];
    if (!start) return null;
    return {
      path,
      hasEnded: state === 'Z' || state === 'X',
      threads: Number(threads),
      parent: Number(parent),
      session: Number(session),
      hasTerminal: terminal !== '0',
      start: `${this.boot()}:${start}`,
      hasMemory: memory !== '0',
    };
  }

  /** Start times count from the boot: another boot's are another's. */
  private boot(): string {
    return (this.bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  }
}

function usersOf(pid: number): number[] {
  const line = /^Uid:\s+(.*)$/m.exec(readOr('', () => readFileSync(`/proc/${pid}/status`, 'latin1')));
  return line?.[1]?.split(/\s+/).map(Number) ?? [];
}

/** A process may have gone, or be another user's. */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
