import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { PodError } from '../pod-driver';
import { readProc } from './proc-file';
import { environmentAt, readingBuffer } from './process-environment';
import { SharedCall } from './shared-call';

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
  /** Changes with the program that the process runs: where its stack and its environment lie is chosen at random for each. Null where the system does not say. */
  readonly program: string | null;
  /** Where /proc tells of it: of a thread that lives, where the first one has ended. */
  readonly path: string;
}

/** A process as it was looked at, and the program that it ran then. */
type Seen = ProcessInfo & Pick<Stat, 'program'>;

/** The kernel's own threads, half of what there is on a small machine, have no memory of their own, and with it no environment. */
const NOTHING: ReadonlyMap<string, string> = new Map();
/** Enough at once to keep the thread pool busy, few enough to leave file handles for others. */
const AT_ONCE = 8;
/** So many processes are looked at before others have their turn: about 2 ms. */
const IN_ONE_GO = 100;
const MARK = 'REPRISE_POD';

/**
 * The machine's processes by /proc, which Linux alone has. What the kernel has at hand is read without a turn of the thread pool, which takes ten times as
 * long. An environment is not: it is the process's own memory, and a process that is stuck in the kernel may keep its reader waiting.
 *
 * Callers at the same time share their looks at the whole machine. An environment is read once for each program that a process runs, and a process that was
 * seen with the mark of a pod keeps it, whatever it runs later.
 */
export class ProcessTable {
  private bootId: string | undefined;
  private random: boolean | undefined;
  private seen: ReadonlyMap<number, Seen> = new Map();
  private readonly everything = new SharedCall(() => this.lookAtAll());
  private readonly users = new SharedCall(() => this.lookAtUsers());

  /** When this process was started, or null where there is none of this pid (any more). */
  startOf(pid: number): string | null {
    return this.statOf(pid)?.start ?? null;
  }

  /** Every process that is alive now and may be looked at. */
  all(): Promise<readonly ProcessInfo[]> {
    return this.everything.call();
  }

  /** Those that run as this user: by their real, effective, saved or file system's user. */
  async ofUser(uid: number): Promise<readonly ProcessInfo[]> {
    return this.look((await this.users.call()).get(uid) ?? []);
  }

  /** Those of these ids that live. */
  async of(pids: readonly number[]): Promise<readonly ProcessInfo[]> {
    return this.look(pids);
  }

  /** Those that this process has started, or was given as orphans, and that live. */
  async childrenOf(pid: number): Promise<readonly ProcessInfo[]> {
    const path = `/proc/${pid}/task/${pid}/children`;
    const children = readProc(path);
    if (children !== '' || existsSync(path)) return this.look(children.split(' ').filter(Boolean).map(Number));
    return (await this.all()).filter(({ parent }) => parent === pid);
  }

  /** The ids of a process, in the namespace of this process and in each one below that it is in; the last one is what it calls itself. */
  idsOf(pid: number): readonly number[] {
    const line = /^NSpid:\s+(.*)$/m.exec(readProc(`/proc/${pid}/status`));
    return line?.[1]?.split(/\s+/).map(Number) ?? [pid];
  }

  isOfUser(pid: number, uid: number): boolean {
    return usersOf(pid).includes(uid);
  }

  /** Every user that something runs as. */
  async usersRunning(): Promise<number[]> {
    return [...(await this.users.call()).keys()];
  }

  private async pids(): Promise<number[]> {
    const names = await readdir('/proc').catch((error: unknown) => {
      throw new PodError('unavailable', 'pods as processes need Linux: there is no /proc here', { cause: error });
    });
    return names.filter((name) => /^[0-9]+$/.test(name)).map(Number);
  }

  private async lookAtAll(): Promise<readonly ProcessInfo[]> {
    const found = await this.look(await this.pids());
    this.seen = new Map(found.map((info) => [info.pid, info]));
    return found;
  }

  private async lookAtUsers(): Promise<ReadonlyMap<number, readonly number[]>> {
    const found = new Map<number, number[]>();
    for (const [n, pid] of (await this.pids()).entries()) {
      if (n % IN_ONE_GO === IN_ONE_GO - 1) await othersTurn();
      for (const uid of new Set(usersOf(pid))) {
        const pids = found.get(uid);
        if (pids === undefined) found.set(uid, [pid]);
        else pids.push(pid);
      }
    }
    return found;
  }

  private async look(pids: readonly number[]): Promise<Seen[]> {
    const found: Seen[] = [];
    const unread: { stat: Stat; pid: number; cwd: string | null; before: Seen | undefined }[] = [];
    for (const [n, pid] of pids.entries()) {
      if (n % IN_ONE_GO === IN_ONE_GO - 1) await othersTurn();
      const stat = this.statOf(pid);
      if (stat === null) continue;
      const cwd = readOr(null, () => readlinkSync(`${stat.path}/cwd`));
      const seen = this.seen.get(pid);
      const before = seen?.start === stat.start ? seen : undefined;
      if (before !== undefined && stat.program !== null && before.program === stat.program) found.push(seenOf(pid, stat, cwd, before.env));
      else unread.push({ pid, stat, cwd, before });
    }
    const buffers = Array.from({ length: Math.min(AT_ONCE, unread.length) }, readingBuffer);
    for (let at = 0; at < unread.length; at += AT_ONCE) {
      const some = unread.slice(at, at + AT_ONCE).map(async ({ pid, stat, cwd, before }, n) => {
        const env = stat.hasMemory ? await environmentAt(`${stat.path}/environ`, buffers[n]!) : NOTHING;
        return seenOf(pid, stat, cwd, withMarkOf(before?.env ?? NOTHING, env));
      });
      found.push(...(await Promise.all(some)));
    }
    return found;
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
      if (thread && !thread.hasEnded) return { ...first, hasMemory: thread.hasMemory, program: thread.program, path: thread.path };
    }
    return null;
  }

  private statAt(path: string): (Stat & { hasEnded: boolean; threads: number }) | null {
    const text = readProc(`${path}/stat`);
    // The second field is the program's name in parentheses, and may hold anything, parentheses too: fields count from
    // behind the last one. State is the 3rd field, parent the 4th, session the 6th, terminal the 7th, the number of threads the 20th, start time in clock
    // ticks since boot the 22nd, size of its memory the 23rd, start of its stack the 28th, of its environment the 50th and the end of that the 51st (proc(5)).
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
      program: this.isRandom() && fields[47] !== '0' ? `${fields[25]} ${fields[47]} ${fields[48]}` : null,
    };
  }

  /** Whether the kernel chooses addresses at random, as nearly every one does. */
  private isRandom(): boolean {
    return (this.random ??= !['', '0'].includes(readProc('/proc/sys/kernel/randomize_va_space').trim()));
  }

  /** Start times count from the boot: another boot's are another's. */
  private boot(): string {
    return (this.bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  }
}

function usersOf(pid: number): number[] {
  const status = readProc(`/proc/${pid}/status`);
  const at = status.indexOf('\nUid:\t') + 6;
  return at < 6 ? [] : status.slice(at, status.indexOf('\n', at)).split('\t').map(Number);
}

function seenOf(pid: number, { program, parent, session, hasTerminal, start }: Stat, cwd: string | null, env: Seen['env']): Seen {
  return { pid, program, parent, session, hasTerminal, start, env, cwd };
}

/** A process that has dropped its pod's mark is of that pod all the same. */
function withMarkOf(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const mark = before.get(MARK);
  return mark === undefined || now.has(MARK) ? now : new Map([...now, [MARK, mark]]);
}

/** A process may have gone, or be another user's. */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
