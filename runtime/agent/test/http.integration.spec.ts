import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { RunningAgent, TOKEN, bundleAgent, testDirectory } from './testing/running-agent';

const directory = testDirectory();
const bundle = bundleAgent(directory);
let agent: RunningAgent;

beforeAll(async () => {
  agent = await RunningAgent.start(bundle, join(directory, 'workspace'));
  await agent.ready();
});
afterAll(async () => {
  await RunningAgent.stopAll();
  execFileSync('rm', ['-rf', directory]);
});

const authorization = `Bearer ${TOKEN}`;
const code = (name: string): object => ({ error: { code: name, message: expect.any(String) } });

describe('the agent answers', () => {
  it.each([undefined, '', 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, TOKEN])(
    'no one who comes with the authorization %p, on any route',
    async (wrong) => {
      const headers: Record<string, string> = wrong === undefined ? {} : { authorization: wrong };
      for (const [method, path] of [
        ['GET', '/v1/history'],
        ['POST', '/v1/quiesce'],
        ['GET', '/v1/snapshot'],
        ['PUT', '/v1/restore'],
        ['GET', '/v1/nowhere'],
      ] as const) {
        expect(await agent.send(method, path, undefined, headers)).toMatchObject({ status: 401, json: code('unauthorized') });
      }
    },
  );

  it('health to everyone', async () => {
    expect((await agent.send('GET', '/health', undefined, {})).json).toEqual({
      status: 'ready',
      workspace_id: 'ws_test',
      generation: 1,
      task_id: null,
    });
  });

  it('an unknown route with 404, a wrong method with 405', async () => {
    expect(await agent.send('GET', '/v1/nowhere')).toMatchObject({ status: 404, json: code('not_found') });
    expect(await agent.send('DELETE', '/v1/tasks')).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
      json: code('method_not_allowed'),
    });
  });

  it.each<[string, string | object]>([
    ['broken JSON', '{"task_id":'],
    ['JSON that is no object', '["task"]'],
    ['no task id', { description: 'x' }],
    ['a task id that climbs', { task_id: '../x', description: 'x' }],
    ['a description that is no text', { task_id: 'a', description: 7 }],
    ['an empty description', { task_id: 'a', description: '' }],
    ['a time limit that is no number', { task_id: 'a', description: 'x', timeout_seconds: '5' }],
    ['a time limit of nothing', { task_id: 'a', description: 'x', timeout_seconds: 0 }],
  ])('%s with 400', async (_what, body) => {
    expect(await agent.send('POST', '/v1/tasks', body)).toMatchObject({ status: 400, json: code('bad_request') });
  });

  it('a body that is too large with 413, without reading it all', async () => {
    expect(await agent.send('POST', '/v1/tasks', Buffer.alloc(3_000_000, 'x'))).toMatchObject({
      status: 413,
      json: code('payload_too_large'),
    });
    expect(await agent.send('GET', '/health')).toMatchObject({ status: 200 });
  });

  it('what is no HTTP with 400', async () => {
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(new URL(agent.url).port), '127.0.0.1', () => socket.write('this is no HTTP\r\n\r\n'));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 [^]*"bad_request"/);
  });

  it('requests with a query and with a token in any case of its scheme', async () => {
    expect(await agent.send('GET', '/health?probe=1')).toMatchObject({ status: 200 });
    expect(await agent.send('GET', '/v1/history', undefined, { authorization: authorization.replace('Bearer', 'bearer') })).toMatchObject({
      status: 200,
    });
  });
});
