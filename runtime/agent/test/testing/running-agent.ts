import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const TOKEN = 'pod.ws_test.1.secret';

/** A directory of this test file's own, removed with everything in it by `cleanUp`. */
export function testDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-agent-'));
  chmodSync(directory, 0o755);
  return directory;
}

/** The agent as it is shipped: one bundled file. */
export function bundleAgent(directory: string): string {
  const file = join(directory, 'agent.js');
  execFileSync(process.execPath, [join(__dirname, '..', '..', 'build.mjs'), file]);
  return file;
}

/** What an answer holds is for the assertion to say. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  trailers: NodeJS.Dict<string>;
  bytes: Buffer;
  json: Json;
}

export class RunningAgent {
  private static readonly started: RunningAgent[] = [];
  private constructor(
    readonly child: ChildProcess,
    readonly workspace: string,
    private readonly port: number,
    private readonly mark: string,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async start(
    bundle: string,
    workspace: string,
    options: { env?: Record<string, string>; command?: string[]; generation?: number; gateway?: string; uid?: number } = {},
  ): Promise<RunningAgent> {
    const generation = options.generation ?? 1;
    const addressFile = `${workspace}.address-${generation}`;
    rmSync(addressFile, { force: true });
    const mark = `ws_test-${process.pid}-${workspace}/${generation}`;
    const child = spawn(process.execPath, [bundle], {
      stdio: ['ignore', 'pipe', 'inherit'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
      env: {
        PATH: process.env.PATH,
        HOME: workspace,
        REPRISE_WORKSPACE_ID: 'ws_test',
        REPRISE_GENERATION: String(generation),
        REPRISE_POD: mark,
        REPRISE_POD_TOKEN: TOKEN,
        REPRISE_WORKSPACE_DIR: workspace,
        REPRISE_ADDRESS_FILE: addressFile,
        REPRISE_GATEWAY_URL: options.gateway ?? 'http://127.0.0.1:9',
        REPRISE_COMMAND: JSON.stringify(options.command ?? ['sh', '-c', 'eval "$(cat)"']),
        ...options.env,
      },
    });
    child.stdout.resume();
    await until(() => existsSync(addressFile) || child.exitCode !== null);
    const agent = new RunningAgent(child, workspace, JSON.parse(readFileSync(addressFile, 'utf8')).port, mark);
    RunningAgent.started.push(agent);
    return agent;
  }

  static async stopAll(): Promise<void> {
    for (const agent of RunningAgent.started.splice(0)) {
      await agent.kill('SIGKILL');
      // A killed agent leaves its tasks to themselves.
      const marked = `grep -lzs '^REPRISE_POD=${agent.mark}$' /proc/[0-9]*/environ | cut -d/ -f3`;
      execFileSync('sh', ['-c', `pids=$(${marked}); [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true`]);
    }
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }

  /** Rejects where the connection breaks before the answer is whole. */
  send(
    method: string,
    path: string,
    body?: object | Buffer | string,
    headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({ port: this.port, host: '127.0.0.1', method, path, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const bytes = Buffer.concat(chunks);
          const isJson = response.headers['content-type'] === 'application/json';
          const json = isJson ? JSON.parse(bytes.toString()) : undefined;
          resolve({ status: response.statusCode!, headers: response.headers, trailers: response.trailers, bytes, json });
        });
      });
      call.once('error', reject);
      call.end(body === undefined || Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body));
    });
  }

  ready(): Promise<Answer> {
    return this.send('POST', '/v1/resume-work');
  }

  async run(description: string, taskId = `task_${Math.random().toString(36).slice(2)}`): Promise<Json> {
    const { status, json } = await this.send('POST', '/v1/tasks', { task_id: taskId, description });
    if (status !== 202) throw new Error(JSON.stringify(json));
    return this.ended(taskId);
  }

  /** The conversation's line about the end of this task, once the agent is ready for the next one. */
  async ended(taskId: string): Promise<Json> {
    const line: unknown = await until(async () => (await this.history()).find((it) => it.type === 'task.ended' && it.task_id === taskId));
    await until(async () => (await this.send('GET', '/health')).json.task_id !== taskId);
    return line;
  }

  async history(): Promise<Json[]> {
    const { bytes } = await this.send('GET', '/v1/history');
    return bytes
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  async quiesce(reason = 'interrupted_by_restart'): Promise<Answer> {
    return this.send('POST', '/v1/quiesce', { reason });
  }

  async snapshot(): Promise<{ tar: Buffer; sha256: string; entries: number; skipped: number }> {
    const { status, bytes, trailers, json } = await this.send('GET', '/v1/snapshot');
    if (status !== 200) throw new Error(JSON.stringify(json));
    return {
      tar: bytes,
      sha256: trailers['x-reprise-sha256']!,
      entries: Number(trailers['x-reprise-entries']),
      skipped: Number(trailers['x-reprise-skipped']),
    };
  }

  restore(tar: Buffer, sha256: string): Promise<Answer> {
    return this.send('PUT', '/v1/restore', tar, { authorization: `Bearer ${TOKEN}`, 'x-reprise-sha256': sha256 });
  }
}

/** Waits until the condition answers something, twenty seconds at most. */
export async function until<T>(condition: () => T | Promise<T>, patienceMs = 20_000): Promise<NonNullable<T>> {
  for (const end = Date.now() + patienceMs; ;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`it did not come true within ${patienceMs} ms: ${condition.toString()}`);
    await sleep(10);
  }
}
