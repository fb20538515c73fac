import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { eventually } from './eventually';

export interface Program {
  name: string;
  script: string;
  cwd: string;
  env: Record<string, string>;
  logFile: string;
  /** Where it serves its health. */
  url: string;
  /** Where it tells its metrics. */
  metricsUrl: string;
}

const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 30_000;

/** One real process of a service, that can be killed and started again. */
export class ServiceProcess {
  private child: ChildProcess | null = null;
  private exited: Promise<number | NodeJS.Signals> = Promise.resolve(0);

  constructor(private readonly program: Program) {}

  /** Of its process, while it runs. */
  get pid(): number {
    if (this.child?.pid === undefined) throw new Error(`${this.program.name} does not run`);
    return this.child.pid;
  }

  get url(): string {
    return this.program.url;
  }

  /** What it tells a Prometheus that scrapes it. */
  async metrics(): Promise<string> {
    const answer = await fetch(this.program.metricsUrl);
    if (answer.status !== 200) throw new Error(`${this.program.name} answers ${answer.status} to a scrape`);
    return answer.text();
  }

  /**
   * Starts it and waits until it is ready.
   * @param settings on top of its environment, for this run alone
   */
  async start(settings: Record<string, string> = {}): Promise<void> {
    const { script, cwd, env, logFile } = this.program;
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, [script], {
      cwd,
      env: { ...env, ...settings },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    this.exited = once(child, 'exit').then(([code, signal]) => {
      if (this.child === child) this.child = null;
      return (signal ?? code) as number | NodeJS.Signals;
    });
    await eventually(() => this.mustBeReady(), { within: READY_WITHIN_MS });
  }

  /** Ends it at once, without a chance to finish anything, and waits until it has gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child?.kill(signal);
    await this.exited;
  }

  /** Sends it a signal that does not end it, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Asks it to go, and waits until it has. @returns its exit code */
  async stop(): Promise<number | NodeJS.Signals> {
    const { child } = this;
    if (!child) return this.exited;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    const code = await this.exited;
    clearTimeout(killer);
    return code;
  }

  /** Everything that it has written, in all its lives. */
  log(): string {
    return readFileSync(this.program.logFile, 'utf8');
  }

  private async mustBeReady(): Promise<void> {
    if (!this.child) throw new Error(`${this.program.name} ended while it started: ${this.log().slice(-2_000)}`);
    const { status } = await fetch(`${this.url}/health/ready`);
    if (status !== 200) throw new Error(`${this.program.name} is not ready: ${status}`);
  }
}
