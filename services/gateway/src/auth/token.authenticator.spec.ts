import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import jsonwebtoken from 'jsonwebtoken';
import type { GatewayConfig } from '../gateway.config';
import { TokenAuthenticator } from './token.authenticator';
import { KeysUnavailableError, UnknownKeyError, VerificationKeys } from './verification-keys';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const pairs = { old: generateKeyPairSync('ec', { namedCurve: 'P-256' }), other: generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
const config = {
  jwtAlgorithms: ['ES256'],
  jwtIssuer: 'iss',
  jwtAudience: 'aud',
  jwtClockToleranceSeconds: 5,
  operatorOrgs: [],
} as unknown as GatewayConfig;

/** The issuer publishes one key, or none; or cannot be asked. */
class OneKey extends VerificationKeys {
  key: KeyObject | undefined = pairs.old.publicKey;
  away = false;
  asked = 0;

  override keyFor(): Promise<KeyObject> {
    this.asked += 1;
    if (this.away) return Promise.reject(new KeysUnavailableError('away'));
    return this.key ? Promise.resolve(this.key) : Promise.reject(new UnknownKeyError('gone'));
  }
}

const token = (sub: string): string =>
  jsonwebtoken.sign({ sub, org_id: 'acme', permissions: ['workspace:read'] }, pairs.old.privateKey, {
    algorithm: 'ES256',
    keyid: 'k',
    issuer: 'iss',
    audience: 'aud',
    expiresIn: 60,
  });
const bearing = (credentials: string) =>
  ({ headers: { authorization: `Bearer ${credentials}` }, raw: { rawHeaders: [] } }) as unknown as FastifyRequest;

describe('a token that was found good', () => {
  const checks = jest.spyOn(jsonwebtoken, 'verify');
  let keys: OneKey;
  let authenticator: TokenAuthenticator;

  beforeEach(() => {
    jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    keys = new OneKey();
    authenticator = new TokenAuthenticator(config, keys);
    checks.mockClear();
  });
  afterEach(() => jest.useRealTimers());

  it('is not checked a second time, and every other token is', async () => {
    const alice = token('alice');
    for (let i = 0; i < 3; i++) expect(await authenticator.identify(bearing(alice))).toMatchObject({ sub: 'alice', orgId: 'acme' });
    expect(checks).toHaveBeenCalledTimes(1);
    expect(await authenticator.identify(bearing(token('bob')))).toMatchObject({ sub: 'bob' });
    expect(checks).toHaveBeenCalledTimes(2);
  });

  it('is good until it expires, with the tolerance of clocks, and not a moment longer', async () => {
    const alice = token('alice');
    await authenticator.identify(bearing(alice));
    jest.setSystemTime(NOW + 64_999);
    expect(await authenticator.identify(bearing(alice))).toMatchObject({ sub: 'alice' });
    jest.setSystemTime(NOW + 65_000);
    await expect(authenticator.identify(bearing(alice))).rejects.toMatchObject({ status: 401, message: 'The token has expired.' });
  });

  it.each([
    ['taken back', undefined, 'The token is signed with a key that is not known.'],
    ['replaced', pairs.other.publicKey, 'The signature of the token is wrong.'],
  ])('is so no longer when the key is %s', async (_, next, message) => {
    const alice = token('alice');
    await authenticator.identify(bearing(alice));
    keys.key = next;
    await expect(authenticator.identify(bearing(alice))).rejects.toMatchObject({ status: 401, message });
  });

  it('cannot be told while the keys cannot be had, and they are asked for once', async () => {
    const alice = token('alice');
    await authenticator.identify(bearing(alice));
    Object.assign(keys, { away: true, asked: 0 });
    await expect(authenticator.identify(bearing(alice))).rejects.toMatchObject({ status: 503 });
    expect(keys.asked).toBe(1);
    keys.away = false;
    expect(await authenticator.identify(bearing(alice))).toMatchObject({ sub: 'alice' });
    expect(checks).toHaveBeenCalledTimes(1);
  });

  it('does not vouch for one with another signature', async () => {
    const alice = token('alice');
    await authenticator.identify(bearing(alice));
    const forged =
      alice.slice(0, alice.lastIndexOf('.') + 1) +
      token('alice')
        .split('.')[2]!
        .replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
    await expect(authenticator.identify(bearing(forged))).rejects.toMatchObject({
      status: 401,
      message: 'The signature of the token is wrong.',
    });
  });
});
