import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { PodError } from '../pod-driver';

/** What is to be run, in a session of its own. */
export interface Launch {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** All of it. */
  readonly env: Readonly<Record<string, string>>;
  /** What it prints is appended to this file; null where nobody wants it. */
  readonly logFile: string | null;
}

/** `exited`: with which code or by which signal, as a word. Rejects where nobody watches any more. */
export interface Launched {
  readonly pid: number;
  readonly exited: Promise<string>;
}

export type Order = Launch & { readonly id: number };

export type Told = { readonly id: number } & (
  | { readonly pid: number }
  | { readonly exited: string }
  | { readonly error: { readonly code: string | undefined; readonly syscall: string | undefined; readonly message: string } }
);

interface Watch {
  readonly started: (launched: Launched) => void;
  readonly failed: (error: Error) => void;
  readonly exited: Promise<string>;
  readonly exits: (how: string) => void;
  readonly unwatched: (error: Error) => void;
}

/** How long the launcher is kept without a process to watch. */
const IDLE_MS = 60_000;

/**
 * Starts processes by way of a small process that does it for this large one, and that the first of them begins. It watches over what it has started and
 * ends with this process, and after a minute without anything to watch; what it has started lives on.
 */
export class ProcessLauncher {
  private launcher: ChildProcess | undefined;
  private readonly watches = new Map<number, Watch>();
  private last = 0;
  /** How many wait for an answer: only these keep this process from ending. */
  private waiting = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly idleMs = IDLE_MS) {}

  /** Of the launcher, while there is one. */
  get pid(): number | undefined {
    return this.launcher?.pid;
  }

  /** @throws the error of the system call that failed, or PodError `unavailable` where it is not known whether it was started */
  start(launch: Launch): Promise<Launched> {
    return this.waited(this.ordered(launch));
  }

  /** Starts it and resolves once it has ended. @throws as `start` does */
  run(launch: Launch): Promise<string> {
    return this.waited(this.ordered(launch).then(({ exited }) => exited));
  }

  private ordered(launch: Launch): Promise<Launched> {
    clearTimeout(this.idle);
    const launcher = (this.launcher ??= this.begin());
    const id = ++this.last;
    return new Promise((started, failed) => {
      let [exits, unwatched]: [Watch['exits'], Watch['unwatched']] = [() => undefined, () => undefined];
      const exited = new Promise<string>((resolve, reject) => ([exits, unwatched] = [resolve, reject]));
      exited.catch(() => undefined);
      this.watches.set(id, { started, failed, exited, exits, unwatched });
      launcher.send({ id, ...launch } satisfies Order, (error) => {
        if (error !== null) this.lost(launcher);
      });
    });
  }

  private async waited<T>(answer: Promise<T>): Promise<T> {
    this.waiting += 1;
    this.launcher?.channel?.ref();
    try {
      return await answer;
    } finally {
      this.waiting -= 1;
      if (this.waiting === 0) this.launcher?.channel?.unref();
    }
  }

  private begin(): ChildProcess {
    // Away from the terminal, so that a signal for this process and all of its group leaves it until this one has ended.
    const launcher = spawn(process.execPath, [join(__dirname, 'launcher.mjs')], {
      cwd: '/',
      env: { PATH: process.env.PATH },
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    launcher.on('message', (told: Told) => this.hear(told));
    for (const event of ['error', 'exit', 'disconnect'] as const) launcher.once(event, () => this.lost(launcher));
    launcher.unref();
    launcher.channel?.unref();
    return launcher;
  }

  private hear(told: Told): void {
    const watch = this.watches.get(told.id);
    if ('pid' in told) return watch?.started({ pid: told.pid, exited: watch.exited });
    this.watches.delete(told.id);
    if ('exited' in told) watch?.exits(told.exited);
    else watch?.failed(Object.assign(new Error(told.error.message), { code: told.error.code, syscall: told.error.syscall }));
    if (this.watches.size > 0) return;
    this.idle = setTimeout(() => {
      const { launcher } = this;
      this.launcher = undefined;
      launcher?.disconnect();
    }, this.idleMs).unref();
  }

  /** Of what it was asked for last nobody knows whether it runs; whoever looks for it finds it. */
  private lost(launcher: ChildProcess): void {
    if (this.launcher !== launcher) return;
    this.launcher = undefined;
    clearTimeout(this.idle);
    const error = new PodError('unavailable', 'the process that starts pods has ended; the next pod starts it again');
    for (const watch of this.watches.values()) {
      watch.failed(error);
      watch.unwatched(error);
    }
    this.watches.clear();
  }
}
