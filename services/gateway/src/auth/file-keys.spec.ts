import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileKeys } from './file-keys';

const directory = mkdtempSync(join(tmpdir(), 'reprise-keys-'));
const file = join(directory, 'keys');
afterAll(() => rmSync(directory, { recursive: true }));

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (key: typeof rsa.publicKey, more: object) => ({ ...key.export({ format: 'jwk' }), ...more });

function keysOf(content: string | object): FileKeys {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return new FileKeys(file);
}

describe('the file of public keys', () => {
  it('may be one key in PEM, which then fits every token', async () => {
    const keys = keysOf(rsa.publicKey.export({ type: 'spki', format: 'pem' }));
    for (const kid of [undefined, 'any']) expect((await keys.keyFor(kid)).equals(rsa.publicKey)).toBe(true);
  });

  it('may be a set of keys, told apart by their ids', async () => {
    const keys = keysOf({ keys: [jwk(rsa.publicKey, { kid: 'a' }), jwk(ec.publicKey, { kid: 'b', use: 'sig' })] });
    expect((await keys.keyFor('a')).equals(rsa.publicKey)).toBe(true);
    expect((await keys.keyFor('b')).equals(ec.publicKey)).toBe(true);
    await expect(keys.keyFor('c')).rejects.toThrow('no one key');
    await expect(keys.keyFor(undefined)).rejects.toThrow('no one key');
  });

  it.each<[string, string | object]>([
    ['a private key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['rubbish', 'rubbish'],
    ['a set without keys', { keys: [] }],
    ['a shared secret', { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }],
    ['a key for encryption', { keys: [jwk(rsa.publicKey, { use: 'enc' })] }],
  ])('must not be %s', (_, content) => {
    expect(() => keysOf(content)).toThrow(/^JWT_PUBLIC_KEY_FILE: no public key can be read/);
  });

  it('must be there', () => {
    expect(() => new FileKeys(join(directory, 'nothing'))).toThrow('JWT_PUBLIC_KEY_FILE');
  });
});
