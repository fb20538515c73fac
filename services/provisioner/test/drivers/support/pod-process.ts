import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface PodProgram {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly logFile: string;
}

/**
 * What a container runtime does of a container, as far as a driver can tell: a program that is the first process of a process namespace of its own,
 * so that with it everything ends that it started, whatever that has made of itself.
 */
export class PodProcess {
  /** Its exit code; 137 where it was killed, as container runtimes have it. */
  readonly ended: Promise<number>;
  private wasKilled = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
  ) {
    // What unshare itself makes of a child that was killed differs from one release to another.
    this.ended = once(child, 'exit').then(([code]) => (this.wasKilled || code === null ? 137 : (code as number)));
  }

  static start({ args, env, directory, logFile }: PodProgram): PodProcess {
    const log = openSync(logFile, 'a');
    const asRoot = process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const child = spawn('unshare', [...asRoot, '--pid', '--fork', '--kill-child', '--mount-proc', ...args], {
      cwd: directory,
      env,
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    child.unref();
    return new PodProcess(child, logFile);
  }

  /** Sends a signal to the first process, if it has begun. */
  signal(name: NodeJS.Signals): void {
    const first = this.firstProcess();
    if (name === 'SIGKILL') this.wasKilled = true;
    if (first !== null) killed(first, name);
    // Until there is a first process, there is its maker alone.
    else if (name === 'SIGKILL' || name === 'SIGTERM') killed(this.child.pid!, 'SIGKILL');
  }

  /** Whether it has not ended yet; it may just be beginning. */
  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Whether anything runs in its namespace. */
  get hasProcesses(): boolean {
    return this.isRunning && this.firstProcess() !== null;
  }

  get pid(): number | null {
    return this.firstProcess();
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8').slice(-2_048);
  }

  private firstProcess(): number | null {
    const { pid } = this.child;
    try {
      return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]) || null;
    } catch {
      return null;
    }
  }
}

function killed(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
