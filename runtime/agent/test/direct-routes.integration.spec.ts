import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RunningAgent, bundleAgent, testDirectory } from './testing/running-agent';

const directory = testDirectory();
const bundle = bundleAgent(directory);
let count = 0;
const SHA256 = 'a'.repeat(64);
const ADDRESS = 'http://127.0.0.1:9/object?permission=secret';

async function agent(): Promise<RunningAgent> {
  const workspace = join(directory, `pod-${++count}`, 'workspace');
  mkdirSync(workspace, { recursive: true });
  return RunningAgent.start(bundle, workspace);
}

afterEach(() => RunningAgent.stopAll());
afterAll(() => execFileSync('rm', ['-rf', directory]));

const linesOf = (bytes: Buffer): unknown[] =>
  bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('an upload to a store', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', 'part_bytes=5\n'],
    ['no object', '[5]\n'],
    ['no size of parts', '{}\n'],
    ['parts of no size', '{"part_bytes":0}\n'],
    ['parts of half a byte', '{"part_bytes":0.5}\n'],
    ['an encoding that it does not know', '{"part_bytes":1000,"encoding":"zstd"}\n'],
    ['a line without an end', 'x'.repeat(100_000)],
  ])('is refused with %s', async (_what, body) => {
    const running = await agent();
    await running.ready();
    await running.quiesce();
    expect(await running.send('POST', '/v1/snapshot/upload', body)).toMatchObject({
      status: 400,
      json: { error: { code: 'bad_request' } },
    });
  });

  it('is refused without the token, and unless the pod is quiesced', async () => {
    const running = await agent();
    const order = '{"part_bytes":1000}\n';
    expect(await running.send('POST', '/v1/snapshot/upload', order, {})).toMatchObject({ status: 401 });
    for (const make of [() => Promise.resolve(), () => running.ready()]) {
      await make();
      const refusal = await running.send('POST', '/v1/snapshot/upload', order);
      expect(refusal).toMatchObject({ status: 409, json: { error: { code: 'not_quiesced' } } });
    }
  });

  it.each([
    ['another part', '{"part":2,"address":"http://127.0.0.1:9/"}', 'bad_request', 400],
    ['no address', '{"part":1}', 'bad_request', 400],
    ['no address of HTTP', '{"part":1,"address":"file:///etc/passwd"}', 'bad_request', 400],
    ['no more lines', '', 'bad_request', 400],
    ['a store that is not there', JSON.stringify({ part: 1, address: ADDRESS }), 'store_unreachable', 502],
  ])('that is answered with %s ends with an error, and can be tried again', async (_what, line, code, status) => {
    const running = await agent();
    await running.ready();
    await running.quiesce();
    for (let attempt = 1; attempt <= 2; attempt++) {
      const { bytes } = await running.send('POST', '/v1/snapshot/upload', `{"part_bytes":1000000}\n${line}${line && '\n'}`);
      expect(linesOf(bytes)).toEqual([{ want: 1 }, { error: { code, message: expect.not.stringContaining('secret') }, status }]);
    }
    expect((await running.snapshot()).entries).toBeGreaterThan(0);
  });
});

describe('a download from a store', () => {
  it.each([
    ['no address', { sha256: SHA256 }],
    ['no address of HTTP', { sha256: SHA256, address: 'file:///etc/passwd' }],
    ['no digest', { address: ADDRESS }],
    ['an encoding that it does not know', { address: ADDRESS, sha256: SHA256, encoding: 'zstd' }],
    ['a digest that is none', { address: ADDRESS, sha256: 'x'.repeat(64) }],
  ])('is refused with %s', async (_what, body) => {
    const refusal = await (await agent()).send('POST', '/v1/restore/download', body);
    expect(refusal).toMatchObject({ status: 400, json: { error: { code: 'bad_request' } } });
  });

  it('from a store that is not there is refused, without its address', async () => {
    const { status, json } = await (await agent()).send('POST', '/v1/restore/download', { address: ADDRESS, sha256: SHA256 });
    expect(status).toBe(502);
    expect(json).toEqual({ error: { code: 'store_unreachable', message: expect.not.stringContaining('secret') } });
  });
});
