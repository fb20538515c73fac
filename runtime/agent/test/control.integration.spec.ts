import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { join } from 'node:path';
import { type Answer, RunningAgent, TOKEN, bundleAgent, testDirectory } from './testing/running-agent';

const directory = testDirectory();
const bundle = bundleAgent(directory);
const pair = (): { key: KeyObject; known: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { key: privateKey, known: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url') };
};
const [present, previous, stranger] = [pair(), pair(), pair()];

interface Signed {
  method: string;
  path: string;
  body: string;
  key: KeyObject;
  workspace: string;
  generation: number;
  time: number;
  nonce: string;
}

function headersOf(signed: Signed): Record<string, string> {
  const { method, path, body, key, workspace, generation, nonce } = signed;
  const [time, content] = [String(signed.time), createHash('sha256').update(body).digest('hex')];
  const text = ['reprise-control-v1', method, path, workspace, generation, time, nonce, content].join('\n');
  return {
    authorization: `Bearer ${TOKEN}`,
    'x-reprise-time': time,
    'x-reprise-nonce': nonce,
    'x-reprise-content-sha256': content,
    'x-reprise-signature': sign(null, Buffer.from(text), key).toString('base64url'),
  };
}

const request = (given: Partial<Signed> = {}): Signed => ({
  method: 'POST',
  path: '/v1/quiesce',
  body: '{"reason":"for a test"}',
  key: present.key,
  workspace: 'ws_test',
  generation: 1,
  time: Date.now(),
  nonce: randomBytes(16).toString('hex'),
  ...given,
});

let agent: RunningAgent;
const send = (asked: Signed, headers = headersOf(asked)): Promise<Answer> => agent.send(asked.method, asked.path, asked.body, headers);
const status = async (): Promise<string> => (await agent.send('GET', '/health', undefined, {})).json.status;

beforeEach(async () => {
  const env = { REPRISE_CONTROL_KEYS: `${present.known},${previous.known}` };
  agent = await RunningAgent.start(bundle, join(directory, randomBytes(4).toString('hex')), { env });
  expect(await send(request({ path: '/v1/resume-work', body: '{}' }))).toMatchObject({ status: 200 });
});
afterEach(() => RunningAgent.stopAll());
afterAll(() => execFileSync('rm', ['-rf', directory]));

describe('an agent that knows the provisioner’s keys', () => {
  it('does what either of them has signed', async () => {
    expect(await send(request())).toMatchObject({ status: 200, json: { interrupted_task_id: null } });
    expect(await send(request({ key: previous.key }))).toMatchObject({ status: 200 });
  });

  it('takes the pod token for nothing, on any route', async () => {
    for (const [method, path] of [
      ['GET', '/v1/history'],
      ['POST', '/v1/quiesce'],
      ['POST', '/v1/resume-work'],
      ['POST', '/v1/tasks'],
      ['GET', '/v1/snapshot'],
      ['PUT', '/v1/restore'],
      ['POST', '/v1/snapshot/upload'],
      ['POST', '/v1/restore/download'],
      ['GET', '/v1/nowhere'],
    ] as const) {
      expect(await agent.send(method, path)).toMatchObject({ status: 401, json: { error: { code: 'unauthorized' } } });
    }
    expect(await status()).toBe('ready');
  });

  it('does nothing a second time that was signed once', async () => {
    const asked = request({ method: 'GET', path: '/v1/history', body: '' });
    const headers = headersOf(asked);
    expect((await send(asked, headers)).status).toBe(200);
    expect(await send(asked, headers)).toMatchObject({ status: 401, json: { error: { message: expect.stringContaining('sent before') } } });
  });

  it.each<[string, Partial<Signed>, Partial<Signed>]>([
    ['with another key', { key: stranger.key }, {}],
    ['for another method', { method: 'PUT' }, { method: 'POST' }],
    ['for another path', { path: '/v1/resume-work' }, { path: '/v1/quiesce' }],
    ['for another query', { method: 'GET', path: '/v1/snapshot?max_entries=1', body: '' }, { path: '/v1/snapshot' }],
    ['for another body', { body: '{}' }, { body: '{"reason":"x"}' }],
    ['for another workspace', { workspace: 'ws_other' }, {}],
    ['for another generation', { generation: 2 }, {}],
    ['too long ago', { time: Date.now() - 400_000 }, {}],
    ['for a time to come', { time: Date.now() + 400_000 }, {}],
  ])('does nothing that was signed %s', async (_how, signed, sent) => {
    const asked = request(signed);
    expect(await send({ ...asked, ...sent }, headersOf(asked))).toMatchObject({ status: 401 });
    expect(await status()).toBe('ready');
  });

  it('is not set to work again by a task with all that the agent was started with', async () => {
    const url = new URL('/v1/tasks', agent.url).href;
    const stolen = `/proc/$PPID/environ`;
    const program = `fetch(${JSON.stringify(url)}, { method: 'POST', body: '{}', headers: { authorization: 'Bearer ' + process.argv[1] } }).then((it) => console.log(it.status))`;
    const steal = `token=$(tr '\\0' '\\n' < ${stolen} | sed -n 's/^REPRISE_POD_TOKEN=//p'); echo "$token"; node -e '${program.replaceAll("'", `'\\''`)}' "$token"`;
    expect(await send(request({ path: '/v1/tasks', body: JSON.stringify({ task_id: 'thief', description: steal }) }))).toMatchObject({
      status: 202,
    });
    const ended = async (): Promise<string> => (await send(request({ method: 'GET', path: '/v1/history', body: '' }))).bytes.toString();
    let told = await ended();
    while (!told.includes('task.ended')) told = await ended();
    expect(JSON.parse(told.trim().split('\n').at(-1)!)).toMatchObject({ output: `${TOKEN}\n401\n` });
  });
});
