import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  PodError,
  type PodDriver,
  type PodErrorReason,
  type PodHandle,
  type PodIdentity,
  type PodState,
} from '../../../src/pods/pod-driver';
import type { IsolationFound } from '../../../src/pods/process/pod-isolation';
import type { ProcessDriverOptions } from '../../../src/pods/process/process-pod-driver';
import { bundleDriver } from './bundled-driver';

/** A user that no machine knows. */
export const ORDINARY_USER = 1_790_000_017;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly reason: PodErrorReason; readonly detail: string };
}

/** A process driver in a process of its own, which runs as an ordinary user also where the tests run as root. */
export class DriverOfUser implements PodDriver {
  private asked = 0;
  private readonly waiting = new Map<number, (answer: Answer) => void>();

  private constructor(private readonly child: ChildProcess) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
  }

  /**
   * @param directory where the driver's program is built; the user must be able to read it
   * @param cgroup one that the user may divide, in which the process begins
   */
  static start(
    directory: string,
    options: ProcessDriverOptions,
    { cgroup, env }: { cgroup?: string; env?: NodeJS.ProcessEnv } = {},
  ): DriverOfUser {
    const asUser = ['setpriv', `--reuid=${ORDINARY_USER}`, `--regid=${ORDINARY_USER}`, '--clear-groups'];
    const run = [...(process.geteuid?.() === 0 ? asUser : []), process.execPath, programIn(directory), JSON.stringify(options)];
    const enter = cgroup === undefined ? [] : ['/bin/sh', '-c', `echo 0 > '${cgroup}/cgroup.procs' && exec "$@"`, 'sh'];
    const [file, ...args] = [...enter, ...run] as [string, ...string[]];
    const child = spawn(file, args, { cwd: '/', env: { PATH: process.env.PATH, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    return new DriverOfUser(child);
  }

  isolates(): Promise<IsolationFound> {
    return this.ask('isolates');
  }
  create(...args: Parameters<PodDriver['create']>): Promise<PodHandle> {
    return this.ask('create', args);
  }
  salvage(...args: Parameters<PodDriver['salvage']>): Promise<PodHandle> {
    return this.ask('salvage', args);
  }
  async remove(...args: Parameters<PodDriver['remove']>): Promise<void> {
    await this.ask('remove', args);
  }
  inspect(...args: Parameters<PodDriver['inspect']>): Promise<PodState | null> {
    return this.ask('inspect', args);
  }
  list(): Promise<PodState[]> {
    return this.ask('list');
  }
  fences(): Promise<PodIdentity[]> {
    return this.ask('fences');
  }

  /** Ends the process as a crash would; pods live on. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  private async ask<T>(method: string, args: readonly unknown[] = []): Promise<T> {
    const id = (this.asked += 1);
    const answered = new Promise<Answer>((resolve) => this.waiting.set(id, resolve));
    this.child.stdin!.write(`${JSON.stringify({ id, method, args })}\n`);
    const { value, error } = await answered;
    if (error) throw new PodError(error.reason, error.detail);
    return value as T;
  }
}

function programIn(directory: string): string {
  const file = join(directory, 'driver-of-user.js');
  if (existsSync(file)) return file;
  bundleDriver(directory);
  writeFileSync(
    file,
    `const { ProcessPodDriver } = require('./driver.js');
     const driver = new ProcessPodDriver(JSON.parse(process.argv[2]));
     const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n');
     require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
       const { id, method, args } = JSON.parse(line);
       driver[method](...args).then(
         (value) => say({ id, value }),
         ({ reason, detail, message }) => say({ id, error: { reason, detail: detail ?? message } }),
       );
     });`,
  );
  return file;
}
