import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { LIMITS } from '../../test/testing/limits';
import { AgentClient } from './agent-client';

/** A test may have several agents. */
const servers: Server[] = [];
const client = async (listener: RequestListener, options: { timeoutMs?: number; idleTimeoutMs?: number } = {}): Promise<AgentClient> => {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new AgentClient({
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: [{ token: 'the-token' }],
    ...options,
  });
};
const json =
  (status: number, body: unknown): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('the agent client tells apart', () => {
  it('a pod that is not there', async () => {
    const agent = new AgentClient({ address: 'http://127.0.0.1:1', credentials: [{ token: 'x' }] });
    await expect(agent.health()).rejects.toMatchObject({ reason: 'unreachable', retryable: true });
  });

  it('one that does not answer in time', async () => {
    const agent = await client(() => undefined, { timeoutMs: 50 });
    await expect(agent.resumeWork()).rejects.toMatchObject({ reason: 'timeout', retryable: true });
  });

  it("a refusal, which is final, with the agent's own code", async () => {
    const agent = await client(json(409, { error: { code: 'busy', message: 'task x is running' } }));
    await expect(agent.runTask({ taskId: 'a', description: 'b' })).rejects.toMatchObject({
      reason: 'refused',
      retryable: false,
      agentCode: 'busy',
      answer: { status: 409, code: 'busy' },
    });
  });

  it('a failure of the agent, which may pass', async () => {
    const agent = await client(json(507, { error: { code: 'no_space', message: 'no room' } }));
    await expect(agent.resumeWork()).rejects.toMatchObject({ reason: 'failed', retryable: true, agentCode: 'no_space' });
  });

  it.each([
    [404, 'not the contract'],
    [200, 'not JSON'],
    [200, { status: 'weird' }],
  ])('something that is no agent: %i %p', async (status, body) => {
    const agent = await client(json(status, body));
    await expect(agent.health()).rejects.toMatchObject({ reason: 'bad_answer', retryable: true });
  });

  it('a task that the agent does not run from one that it does', async () => {
    expect(await (await client(json(202, { task_id: 'a' }))).cancelTask('a', 'b')).toBe(true);
    expect(await (await client(json(404, { error: { code: 'not_found', message: '' } }))).cancelTask('a', 'b')).toBe(false);
  });
});

describe('an answer of 200 that proves nothing', () => {
  const tar = () => Readable.from([Buffer.alloc(10)]);
  const other = { entries: 1, bytes: 10, sha256: 'b'.repeat(64), task_id: 'other', interrupted_task_id: 7, status: 'starting' };

  it.each<[string, (agent: AgentClient) => Promise<unknown>]>([
    ['a quiesce', (agent) => agent.quiesce('for a test')],
    ['a resume-work', (agent) => agent.resumeWork()],
    ['a restore', (agent) => agent.restore(tar(), { sha256: 'a'.repeat(64) })],
    ['a task', (agent) => agent.runTask({ taskId: 'a', description: 'b' })],
    ['a cancellation', (agent) => agent.cancelTask('a', 'b')],
  ])('is none to %s', async (_what, asked) => {
    for (const body of [{}, [], other]) {
      const agent = await client((request, response) => {
        request.resume();
        request.once('end', () => json(200, body)(request, response));
      });
      // It may have done what was asked, and every request may be repeated.
      await expect(asked(agent)).rejects.toMatchObject({ reason: 'bad_answer', retryable: true });
    }
  });
});

describe('a snapshot', () => {
  it.each<[string, RequestListener]>([
    ['that breaks off', (_request, response) => response.write('half', () => response.destroy())],
    ['that comes without its digest', (_request, response) => response.end('whole?')],
  ])('%s fails as a stream and as a digest', async (_what, listener) => {
    const { stream, digest } = await (await client(listener)).snapshot(LIMITS);
    await expect(stream.toArray()).rejects.toMatchObject({ reason: 'broken', retryable: true });
    await expect(digest).rejects.toMatchObject({ reason: 'broken' });
  });

  it('that stands still is given up', async () => {
    const agent = await client((_request, response) => void response.write('half'), { idleTimeoutMs: 50 });
    const { stream } = await agent.snapshot(LIMITS);
    await expect(stream.toArray()).rejects.toMatchObject({ retryable: true });
  });
});

describe('a restore', () => {
  it('that is refused while it is sent tells why it was refused', async () => {
    const agent = await client((request, response) => {
      response.writeHead(422, { connection: 'close', 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code: 'bad_archive', message: 'climbs' } }), () => setImmediate(() => request.destroy()));
    });
    const tar = Readable.from(Array.from({ length: 500 }, () => Buffer.alloc(100_000)));
    await expect(agent.restore(tar, { sha256: 'a'.repeat(64) })).rejects.toMatchObject({ reason: 'refused', agentCode: 'bad_archive' });
  });

  it('whose tar fails throws what the tar failed with', async () => {
    const agent = await client((request) => void request.resume());
    const tar = Readable.from(
      (function* () {
        yield Buffer.alloc(10);
        throw new Error('the store is broken');
      })(),
    );
    await expect(agent.restore(tar, { sha256: 'a'.repeat(64) })).rejects.toThrow('the store is broken');
  });
});

it('no error holds the token', async () => {
  const agent = await client(json(401, { error: { code: 'unauthorized', message: 'no' } }));
  const error: unknown = await agent.resumeWork().catch((it: unknown) => it);
  expect(JSON.stringify(error) + String(error)).not.toContain('the-token');
});

describe('an answer of another form', () => {
  const DIGEST = 'a'.repeat(64);
  const wrong = { reason: 'bad_answer', retryable: true };
  const counts = [2.5, 1e300, -1, '7', null, 2 ** 31, [1], Number.MAX_SAFE_INTEGER];

  it.each(['2.5', '1e300', '-1', '0x10', '', '7 7', '9'.repeat(11), '2147483648', 'NaN'])('to a snapshot: %p entries', async (entries) => {
    const agent = await client((_request, response) => {
      response.writeHead(200, { trailer: 'x-reprise-sha256, x-reprise-entries' });
      response.addTrailers({ 'x-reprise-sha256': DIGEST, 'x-reprise-entries': entries });
      response.end('a tar');
    });
    const { stream, digest } = await agent.snapshot(LIMITS);
    stream.on('error', () => undefined).resume();
    await expect(digest).rejects.toMatchObject(wrong);
  });

  it.each(counts)('to freeze and restore: %p', async (count) => {
    const freezing = await client(json(200, { in_background: count }));
    await expect(freezing.freeze()).rejects.toMatchObject(wrong);
    const restoring = await client(json(200, { sha256: DIGEST, entries: count, bytes: 1 }));
    await expect(restoring.restore(Readable.from(['x']), { sha256: DIGEST })).rejects.toMatchObject(wrong);
    const health = { status: 'ready', workspace_id: 'ws_1', task_id: null };
    const told = await client(json(200, { ...health, generation: count }));
    await expect(told.health()).rejects.toMatchObject(wrong);
  });

  it.each([7, ['task'], {}, 'x'.repeat(300), 'a\0b'])('to quiesce: %p', async (task) => {
    const agent = await client(json(200, { interrupted_task_id: task }));
    await expect(agent.quiesce('x')).rejects.toMatchObject(wrong);
  });

  it.each<[string, object[]]>([
    ['an address of a part that does not come next', [{ want: 2 }]],
    ['an address of half a part', [{ want: 0.5 }]],
    ['an address of no part', [{ want: '1' }]],
    ['a part that it was given no address of', [{ part: 1, etag: 'x' }]],
    ['a part with a name that is none', [{ want: 1 }, { part: 1, etag: 'x'.repeat(2_000) }]],
    ['an end that is nothing', [{ done: null as never }]],
    ['an end that is a text', [{ done: 'x' }]],
    ['half an entry', [{ done: { sha256: DIGEST, stored_sha256: DIGEST, entries: 0.5, bytes: 1, stored_bytes: 1 } }]],
    [
      'more entries than can be recorded',
      [{ done: { sha256: DIGEST, stored_sha256: DIGEST, entries: 2 ** 31, bytes: 1, stored_bytes: 1 } }],
    ],
  ])('to an upload: %s', async (_what, lines) => {
    const agent = await client((request, response) => {
      request.resume();
      response.writeHead(200).end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    });
    const to = { partBytes: 5, addressOfPart: () => Promise.resolve('http://127.0.0.1:9/') };
    await expect(agent.upload(to, LIMITS, new AbortController().signal)).rejects.toMatchObject(wrong);
  });

  it.each([
    [409, { error: { code: 'x'.repeat(1_000), message: 'm' } }],
    [409, { error: { code: 'a\nb' } }],
    [302, { error: { code: 'busy' } }],
  ])('that is an error: %i %p', async (status, body) => {
    const agent = await client(json(status, body));
    await expect(agent.resumeWork()).rejects.toMatchObject(wrong);
  });

  it('is short where it is an error, whatever the agent says', async () => {
    const agent = await client(
      json(409, { error: { code: 'busy', message: 'x'.repeat(1_000_000), details: { limit: 'bytes', long: 'x'.repeat(5_000) } } }),
    );
    const error = (await agent.resumeWork().catch((it: unknown) => it)) as { message: string; answer: object };
    expect(error.message.length).toBeLessThan(1_100);
    expect(error.answer).toEqual({ status: 409, code: 'busy', details: { limit: 'bytes' } });
  });
});
