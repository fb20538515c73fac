import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { ProcessFigures } from './process-figures';
import { until } from './until';

export interface Program {
  readonly name: string;
  readonly script: string;
  /** Options of node itself. */
  readonly nodeOptions: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Where it serves its health. */
  readonly url: string;
  readonly metricsUrl: string;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 40_000;

/** One replica of a service, as a process. */
export class ServiceProcess {
  private constructor(
    private readonly program: Program,
    private readonly child: ChildProcess,
    private readonly exited: Promise<unknown>,
  ) {}

  /** Resolves when it is ready. @throws Error with the end of its log where it ends before, or is not in time */
  static async start(program: Program): Promise<ServiceProcess> {
    const { script, nodeOptions, args, env, logFile } = program;
    const log = openSync(logFile, 'a', 0o600);
    // A session of its own: a Ctrl-C in the terminal reaches the benchmark alone, which ends everything in order.
    const child = spawn(process.execPath, [...nodeOptions, script, ...args], {
      env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const service = new ServiceProcess(program, child, once(child, 'exit'));
    try {
      await until(`${program.name} is ready`, () => service.isReady(), { limitMs: READY_WITHIN_MS, everyMs: 20 });
    } catch (error) {
      await service.stop();
      throw new Error(`${(error as Error).message}\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    }
    return service;
  }

  get name(): string {
    return this.program.name;
  }

  get url(): string {
    return this.program.url;
  }

  get figures(): ProcessFigures {
    return new ProcessFigures(this.child.pid ?? 0);
  }

  /** What it tells a Prometheus that scrapes it. */
  async metrics(): Promise<string> {
    return (await fetch(this.program.metricsUrl)).text();
  }

  /** Stops it where it is, until it is let go on. Not for long: whoever is connected to it takes it for dead after some seconds. */
  hold(): void {
    this.child.kill('SIGSTOP');
  }

  goOn(): void {
    this.child.kill('SIGCONT');
  }

  /** Asks it to go, and waits until it has. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.goOn();
    this.child.kill('SIGTERM');
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), STOP_WITHIN_MS);
    await this.exited;
    clearTimeout(impatience);
  }

  private async isReady(): Promise<boolean> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`${this.name} ended while it started`);
    return fetch(`${this.url}/health/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  }
}
