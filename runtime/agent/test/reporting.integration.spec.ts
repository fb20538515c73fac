import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { RunningAgent, TOKEN, bundleAgent, testDirectory, until, type Json } from './testing/running-agent';

const directory = testDirectory();
const bundle = bundleAgent(directory);
let count = 0;

/** Takes reports as the gateway does, and answers what a test says. */
class Gateway {
  readonly reports: { url: string; method: string; authorization: string; body: Json }[] = [];
  answer = 204;
  private server: Server | undefined;
  private port = 0;

  async open(): Promise<void> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url, method, headers } = request;
        this.reports.push({
          url: url!,
          method: method!,
          authorization: headers.authorization!,
          body: JSON.parse(Buffer.concat(chunks).toString()),
        });
        response.writeHead(this.answer).end();
      });
    });
    await new Promise<void>((resolve) => this.server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/base/`;
  }

  get told(): string[] {
    return this.reports.map(({ url, body }) => `${url.split('/').pop()} ${body.status}`);
  }
}

let gateway: Gateway;
beforeEach(async () => {
  gateway = new Gateway();
  await gateway.open();
});
afterEach(async () => {
  await RunningAgent.stopAll();
  gateway.close();
});
afterAll(() => execFileSync('rm', ['-rf', directory]));

async function start(workspace = join(directory, `pod-${++count}`, 'workspace'), generation = 1): Promise<RunningAgent> {
  mkdirSync(workspace, { recursive: true });
  return RunningAgent.start(bundle, workspace, { gateway: gateway.url, generation });
}

describe('the gateway is told of a task', () => {
  it('that it runs, then how it ended', async () => {
    const agent = await start();
    await agent.ready();
    await agent.run('echo done', 'task_1');
    await until(() => gateway.reports.length === 2);
    expect(gateway.reports[0]).toEqual({
      method: 'PUT',
      url: '/base/v1/agent/tasks/task_1',
      authorization: `Bearer ${TOKEN}`,
      body: { status: 'running', started_at: expect.any(String) },
    });
    expect(gateway.reports[1]!.body).toEqual({
      status: 'completed',
      output: 'done\n',
      started_at: expect.any(String),
      completed_at: expect.any(String),
    });
  });

  it('also when it was away meanwhile, in the order in which it happened', async () => {
    const agent = await start();
    await agent.ready();
    gateway.close();
    await agent.run('exit 1', 'task_1');
    await agent.run('true', 'task_2');
    await gateway.open();
    await until(() => gateway.reports.length === 4);
    expect(gateway.told).toEqual(['task_1 running', 'task_1 failed', 'task_2 running', 'task_2 completed']);
  });

  it.each([401, 408, 429, 500, 503])('again while it answers %i', async (status) => {
    const agent = await start();
    await agent.ready();
    gateway.answer = status;
    await agent.run('true', 'task_1');
    await until(() => gateway.reports.length >= 2);
    gateway.answer = 204;
    await until(() => gateway.told.includes('task_1 completed'));
    expect(new Set(gateway.told.slice(0, 2))).toEqual(new Set(['task_1 running']));
  });

  it.each([400, 403, 404, 409])('no more once it answers %i', async (status) => {
    const agent = await start();
    await agent.ready();
    gateway.answer = status;
    await agent.run('true', 'task_1');
    await until(() => gateway.reports.length === 2);
    expect(gateway.told).toEqual(['task_1 running', 'task_1 completed']);
  });

  it('by the next pod, where the one that ran it could not any more', async () => {
    const agent = await start();
    await agent.ready();
    gateway.close();
    await agent.run('echo result', 'task_1');
    await agent.quiesce();
    const { tar, sha256 } = await agent.snapshot();
    await agent.kill('SIGTERM');
    await gateway.open();
    const next = await start(undefined, 2);
    await next.restore(tar, sha256);
    await next.ready();
    await until(() => gateway.told.includes('task_1 completed'));
    expect(gateway.told).toEqual(['task_1 running', 'task_1 completed']);
  });

  it('nothing more, where quiesce interrupted it', async () => {
    const agent = await start();
    await agent.ready();
    await agent.send('POST', '/v1/tasks', { task_id: 'task_1', description: 'sleep 1000' });
    await until(() => gateway.reports.length === 1);
    await agent.quiesce();
    await agent.ready();
    await agent.run('true', 'task_2');
    await until(() => gateway.told.includes('task_2 completed'));
    expect(gateway.told).toEqual(['task_1 running', 'task_2 running', 'task_2 completed']);
  });
});
