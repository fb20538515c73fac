import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { eventually, type ServiceName } from '../../support';

export interface Program {
  /** `lifecycle-2`: which replica of what. */
  name: string;
  service: ServiceName;
  script: string;
  cwd: string;
  env: Record<string, string>;
  logFile: string;
  url: string;
}

const AGAIN_AFTER_MS = 500;

/** A replica of a service and what keeps it going: it is started again when it ends, as any platform would, unless it was told to be down. */
export class Service {
  private child: ChildProcess | null = null;
  private wanted = false;
  private settings: Record<string, string> = {};
  private again: NodeJS.Timeout | undefined;

  /** @param endedByItself is told when nobody had asked for it */
  constructor(
    private readonly program: Program,
    private readonly endedByItself: (name: string, how: string) => void,
  ) {}

  get name(): string {
    return this.program.name;
  }

  get service(): ServiceName {
    return this.program.service;
  }

  get url(): string {
    return this.program.url;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts it, if it does not run, and keeps it going. @param settings on top of its environment, until it is ended */
  start(settings: Record<string, string> = {}): void {
    this.settings = settings;
    this.wanted = true;
    if (!this.child) this.launch();
  }

  async ready(within = 180_000): Promise<void> {
    await eventually(
      async () => {
        const status = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
          (answer) => answer.status,
          () => 'no answer',
        );
        if (status !== 200) throw new Error(`${this.name} is not ready: ${status}\n${this.log().slice(-1_500)}`);
      },
      { within, every: 200 },
    );
  }

  /** Ends it and leaves it down. SIGTERM lets it finish. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.wanted = false;
    clearTimeout(this.again);
    const { child } = this;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const impatience = setTimeout(() => child.kill('SIGKILL'), 40_000);
    await gone;
    clearTimeout(impatience);
  }

  log(): string {
    return readFileSync(this.program.logFile, 'utf8');
  }

  private launch(): void {
    const { script, cwd, env, logFile } = this.program;
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, [script], {
      cwd,
      env: { ...env, ...this.settings },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    child.once('exit', (code, signal) => {
      if (this.child === child) this.child = null;
      if (!this.wanted) return;
      this.endedByItself(this.name, String(signal ?? code));
      this.again = setTimeout(() => this.wanted && !this.child && this.launch(), AGAIN_AFTER_MS);
    });
  }
}
