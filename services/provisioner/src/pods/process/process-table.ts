import { readFileSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { PodError } from '../pod-driver';

/** One process that is alive: a zombie is not. */
export interface ProcessInfo {
  readonly pid: number;
  readonly session: number;
  /** Whether a person's terminal controls it. */
  readonly hasTerminal: boolean;
  /** With the pid, names one process for ever: boot and start time. */
  readonly start: string;
  /** What it was started with; empty where the system does not say (another user's process). */
  readonly env: ReadonlyMap<string, string>;
  /** Its working directory; null where the system does not say. */
  readonly cwd: string | null;
}

/** Enough at once to keep the thread pool busy, few enough to leave file handles for others. */
const AT_ONCE = 32;

/** The machine's processes by /proc, which Linux alone has. */
export class ProcessTable {
  private bootId: string | undefined;

  /** When this process was started, or null where there is none of this pid (any more). */
  async startOf(pid: number): Promise<string | null> {
    return (await this.statOf(pid))?.start ?? null;
  }

  /** Every process that is alive now and may be looked at. */
  async all(): Promise<ProcessInfo[]> {
    const names = await readdir('/proc').catch((error: unknown) => {
      throw new PodError('unavailable', 'pods as processes need Linux: there is no /proc here', { cause: error });
    });
    const pids = names.filter((name) => /^[0-9]+$/.test(name)).map(Number);
    const found: ProcessInfo[] = [];
    for (let at = 0; at < pids.length; at += AT_ONCE) {
      const some = await Promise.all(pids.slice(at, at + AT_ONCE).map((pid) => this.infoOf(pid)));
      found.push(...some.filter((info) => info !== null));
    }
    return found;
  }

  private async infoOf(pid: number): Promise<ProcessInfo | null> {
    const stat = await this.statOf(pid);
    if (!stat) return null;
    const [env, cwd] = await Promise.all([
      readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => null),
    ]);
    return { pid, ...stat, env: parseEnv(env), cwd };
  }

  private async statOf(pid: number): Promise<Pick<ProcessInfo, 'session' | 'hasTerminal' | 'start'> | null> {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // The second field is the program's name in parentheses, and may hold anything, parentheses too: fields count from
    // behind the last one. State is the 3rd field, session the 6th, terminal the 7th, start time in clock ticks since boot the 22nd (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state, session, terminal, start] = [fields[0], fields[3], fields[4], fields[19]];
    if (!start || state === 'Z' || state === 'X') return null;
    return { session: Number(session), hasTerminal: terminal !== '0', start: `${this.boot()}:${start}` };
  }

  /** Start times count from the boot: another boot's are another's. */
  private boot(): string {
    return (this.bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  }
}

function parseEnv(text: string): Map<string, string> {
  const env = new Map<string, string>();
  for (const entry of text.split('\0')) {
    const at = entry.indexOf('=');
    if (at > 0) env.set(entry.slice(0, at), entry.slice(at + 1));
  }
  return env;
}
