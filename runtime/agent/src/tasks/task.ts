import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf } from '../log';
import { FatalSignal } from './fatal-signal';
import { OutputBuffer } from './output-buffer';
import { endGroup } from './process-group';

export interface TaskSpec {
  readonly taskId: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface TaskEnd {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly reason?: string;
  readonly output?: string;
}

const STDOUT_LIMIT = 256 * 1024;
const STDERR_LIMIT = 8 * 1024;
/** A background process that a task leaves behind may keep its output open: the task has ended all the same. */
const DRAIN_MS = 1_000;

/** One run of the role's command: its own session and process group, the task's text on standard input. */
export class Task {
  readonly ended: Promise<TaskEnd>;
  private stopping: { status: 'failed' | 'cancelled'; reason: string } | undefined;
  private child: ChildProcess | undefined;
  private over = false;
  private killed: Promise<void> | undefined;

  constructor(readonly spec: TaskSpec) {
    this.ended = this.run();
  }

  /**
   * Ends the task and its whole group; `ended` tells when that is done. False where the task has ended by itself or was
   * stopped for another reason before: then that is how it ended.
   */
  stop(status: 'failed' | 'cancelled', reason: string): boolean {
    const pid = this.child?.pid;
    if (this.over || this.stopping || pid === undefined) return false;
    this.stopping = { status, reason };
    this.killed = endGroup(pid);
    return true;
  }

  private async run(): Promise<TaskEnd> {
    const [program, ...args] = this.spec.command;
    if (program === undefined) return { status: 'failed', reason: 'no_command', output: 'the role has no command' };
    const out = new OutputBuffer(STDOUT_LIMIT);
    const err = new OutputBuffer(STDERR_LIMIT);
    const { spec } = this;
    let child: ChildProcess;
    try {
      child = spawn(program, args, { cwd: spec.cwd, env: spec.env, detached: true, stdio: 'pipe' });
    } catch (error) {
      return notStarted(program, error);
    }
    this.child = child;
    const fatal = new FatalSignal(child);
    let open = 2;
    for (const [stream, buffer] of [
      [child.stdout, out],
      [child.stderr, err],
    ] as const) {
      stream?.on('data', (chunk: Buffer) => {
        buffer.add(chunk);
        fatal.look();
      });
      stream?.once('end', () => (--open === 0 ? fatal.watch() : fatal.look()));
    }
    // A command that does not read its input may close it: that is its own affair.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(spec.description);

    const timer = setTimeout(() => this.stop('failed', 'timeout'), Math.min(spec.timeoutSeconds * 1000, 0x7fffffff));
    try {
      const closed = once(child, 'close').catch(() => undefined);
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      this.over = true;
      await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })]);
      await this.killed;
      return endOf(this.stopping, code, signal ?? fatal.number, out.text(), err.text());
    } catch (error) {
      return notStarted(program, error);
    } finally {
      this.over = true;
      clearTimeout(timer);
      // Read on and forget: a process left in the background must not die of a closed pipe.
      for (const stream of [child.stdout, child.stderr]) stream?.removeAllListeners('data').resume();
    }
  }
}

function endOf(
  stopping: { status: 'failed' | 'cancelled'; reason: string } | undefined,
  code: number | null,
  signal: NodeJS.Signals | number | null,
  stdout: string,
  stderr: string,
): TaskEnd {
  if (!stopping && code === 0 && signal === null) return { status: 'completed', output: stdout };
  const output = stderr === '' ? stdout : `${stdout}${stdout === '' || stdout.endsWith('\n') ? '' : '\n'}--- stderr ---\n${stderr}`;
  return { ...(stopping ?? { status: 'failed', reason: signal !== null ? `signal_${signal}` : `exit_${code ?? 0}` }), output };
}

function notStarted(program: string, error: unknown): TaskEnd {
  return {
    status: 'failed',
    reason: 'not_started',
    output: `cannot start ${JSON.stringify(program)}: ${codeOf(error) ?? messageOf(error)}`,
  };
}
