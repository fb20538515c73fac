import { randomUUID } from 'node:crypto';
import { ListRoles } from '@reprise/contracts';
import { expectError, GatewayUnderTest, KeyServer, waitFor } from './support';

const PATH = '/v1/agent-roles';
/** So long that it does not end during a test. */
const LONG = 3_600;

let issuer: KeyServer;
let gateway: GatewayUnderTest;

beforeEach(async () => {
  issuer = await KeyServer.start();
  issuer.add('one');
});
afterEach(async () => {
  await gateway.stop();
  await issuer.stop();
});

async function start(settings: object = {}): Promise<void> {
  gateway = await GatewayUnderTest.start({ jwtJwksUri: issuer.uri, jwksRefreshSeconds: LONG, jwksLookupSeconds: LONG, ...settings });
  await gateway.others.answer(ListRoles, () => ({ roles: [] }));
}

const call = (token: string, headers: Record<string, string> = {}) => gateway.call('GET', PATH, { token, headers });
const status = async (token: string) => (await call(token)).status;
const strangers = (n: number) => Array.from({ length: n }, () => issuer.token('one', randomUUID()));
const becomes = (token: string, expected: number) => waitFor(async () => (await status(token)) === expected, `the status ${expected}`);

describe('the keys that an issuer publishes', () => {
  it('keep good tokens good while 40 tokens with random key ids come to a gateway that has no keys yet', async () => {
    issuer.hold();
    await start();
    const good = Array.from({ length: 40 }, () => status(issuer.token('one')));
    const bad = strangers(40).map(status);
    await waitFor(() => issuer.asked === 1, 'the first fetch');
    issuer.release();
    expect(new Set(await Promise.all(good))).toEqual(new Set([200]));
    expect(new Set(await Promise.all(bad))).toEqual(new Set([401]));
    for (const token of strangers(200)) expect(await status(token)).toBe(401);
    expect(await status(issuer.token('one'))).toBe(200);
    expect(issuer.asked).toBe(1);
  });

  it('are looked up for unknown ids once an interval, however many tokens have one', async () => {
    await start({ jwksLookupSeconds: 1 });
    await becomes(issuer.token('one'), 200);
    const begun = performance.now();
    issuer.asked = 0;
    for (let i = 0; i < 5; i++) await Promise.all(strangers(40).map(status));
    const intervals = Math.floor((performance.now() - begun) / 1_000) + 1;
    expect(issuer.asked).toBeLessThanOrEqual(intervals);
  });

  it('count every token that is not good against its address, and never a good one', async () => {
    await start({ rateLimitPerMinute: 20, trustedProxies: 1 });
    await becomes(issuer.token('one', 'one', { sub: 'bob' }), 200);
    const from = (address: string, token: string) => call(token, { 'x-forwarded-for': address });
    const answers = await Promise.all(strangers(30).map((token) => from('192.0.2.1', token)));
    const limited = answers.filter(({ status }) => status === 429);
    expect([limited.length, answers.filter(({ status }) => status === 401).length]).toEqual([10, 20]);
    for (const answer of limited) {
      expectError(answer, 429, 'rate_limited');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await from('192.0.2.2', strangers(1)[0]!)).status).toBe(401);
    expect((await from('192.0.2.1', issuer.token('one'))).status).toBe(200);
    // What the caller wrote himself stands before what the proxy saw, and gives him no other address.
    expect((await from('192.0.2.3, 192.0.2.1', strangers(1)[0]!)).status).toBe(429);
  });

  it('stay when a later fetch fails, in whatever way', async () => {
    const rubbish = [
      (send: (text: string) => void) => send('<html>'),
      (send: (text: string) => void) => send('{"keys": 7}'),
      (send: (text: string) => void) => send('null'),
      (send: (text: string) => void) => send('{"keys": []}'),
      (send: (text: string) => void) => send(JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'one' }] })),
      (send: (text: string) => void) => send(JSON.stringify({ keys: Array.from({ length: 501 }, () => issuer.keys[0]) })),
      (send: (text: string) => void) => send(JSON.stringify({ keys: issuer.keys, padding: 'x'.repeat(2 ** 20) })),
    ];
    await start({ jwksRefreshSeconds: 1, jwksLookupSeconds: 1 });
    await becomes(issuer.token('one'), 200);
    const failures: (typeof issuer.answer)[] = [
      ...rubbish.map((answer) => (response: Parameters<typeof issuer.answer>[0]) => answer((text) => response.end(text))),
      (response) => response.writeHead(500).end(),
      (response) => response.writeHead(302, { location: issuer.uri }).end(),
      (response) => response.writeHead(200, { 'content-length': '1000' }).write('{', () => response.destroy()),
      (response) => response.destroy(),
    ];
    for (const failure of failures) {
      const before = issuer.asked;
      issuer.answer = failure;
      await waitFor(() => issuer.asked >= before + 2, 'a fetch that failed');
      expect(await status(issuer.token('one'))).toBe(200);
    }
    issuer.answer = (response) => issuer.publish(response);
    issuer.add('two');
    await becomes(issuer.token('two'), 200);
  });

  it('are followed when the issuer changes them', async () => {
    await start({ jwksRefreshSeconds: 1, jwksLookupSeconds: 1 });
    await becomes(issuer.token('one'), 200);
    issuer.add('two');
    await becomes(issuer.token('two'), 200);
    expect(await status(issuer.token('one'))).toBe(200);
    issuer.withdraw('one');
    await becomes(issuer.token('one'), 401);
    expect(await status(issuer.token('two'))).toBe(200);
  });

  it('are used while the issuer does not answer, and unknown ids are 401 in the end', async () => {
    await start({ jwksLookupSeconds: 1 });
    await becomes(issuer.token('one'), 200);
    issuer.hold();
    await waitFor(() => {
      void status(strangers(1)[0]!).catch(() => undefined);
      return issuer.asked === 2;
    }, 'a fetch that hangs');
    const unknown = status(strangers(1)[0]!);
    for (let i = 0; i < 50; i++) expect(await status(issuer.token('one'))).toBe(200);
    expect(await unknown).toBe(401);
    issuer.release();
  });

  it('that cannot be had at the start are no fault of the caller: 503, and 200 as soon as they can', async () => {
    issuer.answer = (response) => response.writeHead(500).end();
    await start();
    const answered = await call(issuer.token('one'));
    expectError(answered, 503, 'unavailable');
    expect(Number(answered.headers.get('retry-after'))).toBeGreaterThan(0);
    issuer.answer = (response) => issuer.publish(response);
    await becomes(issuer.token('one'), 200);
    expect(await status(strangers(1)[0]!)).toBe(401);
  });

  it('may be many', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `key ${i}`);
    for (const id of ids) issuer.add(id);
    await start();
    await becomes(issuer.token('one'), 200);
    for (let round = 0; round < 2; round++) for (const id of ids) expect(await status(issuer.token(id))).toBe(200);
    expect(issuer.asked).toBe(1);
  });
});
