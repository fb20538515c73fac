import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verify } from 'jsonwebtoken';
import { record } from '../testing/recorder';

const folder = mkdtempSync(join(tmpdir(), 'reprise-token-'));
const JWT_PRIVATE_KEY_FILE = join(folder, 'signing.pem');
const env = { JWT_PRIVATE_KEY_FILE, JWT_ISSUER: 'http://issuer.test', JWT_AUDIENCE: 'reprise' };
const ARGS = ['token', '--org', 'acme', '--sub', 'alice', '--permissions', 'workspace:write,tasks:write:own'];

function newKey(pair: { publicKey: KeyObject; privateKey: KeyObject }): KeyObject {
  writeFileSync(JWT_PRIVATE_KEY_FILE, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return pair.publicKey;
}

const rsa = () => newKey(generateKeyPairSync('rsa', { modulusLength: 2048 }));

afterAll(() => rmSync(folder, { recursive: true }));

describe('reprise token', () => {
  it('prints a token and nothing else, which says who, for whom, what for and how long', async () => {
    const key = rsa();
    const { code, out, err } = await record([...ARGS, '--ttl', '30m'], env);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = verify(out.trim(), key, { algorithms: ['RS256'], issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE }) as {
      exp: number;
      iat: number;
    };
    expect(claims).toMatchObject({ sub: 'alice', org_id: 'acme', permissions: ['workspace:write', 'tasks:write:own'] });
    expect(claims.exp - claims.iat).toBe(1800);
  });

  it('lasts twelve hours where nothing else is said, and tells when it ends with --json', async () => {
    rsa();
    const { out } = await record([...ARGS, '--json'], env);
    const { token, expires_at } = JSON.parse(out) as Record<string, string>;
    expect(token).toMatch(/^ey/);
    expect(Math.abs(Date.parse(expires_at!) - Date.now() - 43_200_000)).toBeLessThan(5_000);
  });

  it.each([
    ['P-256', 'ES256'],
    ['P-384', 'ES384'],
  ] as const)('signs with a key on %s by %s', async (namedCurve, algorithm) => {
    const key = newKey(generateKeyPairSync('ec', { namedCurve }));
    const { out } = await record(ARGS, env);
    expect(verify(out.trim(), key, { algorithms: [algorithm] })).toMatchObject({ sub: 'alice' });
  });

  it.each([
    ['a permission that does not exist', ['--permissions', 'workspace:write,workspace:fly'], /There is no permission "workspace:fly"/],
    ['an empty permission', ['--permissions', 'workspace:write,'], /There is no permission ""/],
    ['an empty organization', ['--org', ''], /--org/],
    ['a time without a unit', ['--ttl', '30'], /30m/],
    ['no time at all', ['--ttl', '0h'], /30m/],
  ])('refuses %s by name', async (_, args, reason) => {
    const { code, out, err } = await record([...ARGS, ...args], env);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(reason);
    expect(err.trimEnd()).not.toContain('\n');
  });

  it('says that an instance without a signing key makes no tokens', async () => {
    const { code, err } = await record(ARGS, { ...env, JWT_PRIVATE_KEY_FILE: '' });
    expect(code).toBe(1);
    expect(err).toMatch(/JWT_PRIVATE_KEY_FILE .*embedded/);
  });

  it.each([
    ['a key that is none', () => writeFileSync(JWT_PRIVATE_KEY_FILE, 'nonsense')],
    ['a key of a kind that the gateway does not accept', () => newKey(generateKeyPairSync('ed25519'))],
  ])('refuses %s', async (_, write) => {
    write();
    const { code, out, err } = await record(ARGS, env);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/key/);
  });
});
