import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chooseKey, readKeySet } from './key-set';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const jwk = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more });
const good = jwk(ec.publicKey, { kid: 'good', use: 'sig', alg: 'ES256' });
const read = (keys: unknown) => readKeySet(JSON.stringify({ keys }));

describe('a key set', () => {
  it.each<[string, unknown]>([
    ['without an alg', jwk(ec.publicKey, { kid: 'k' })],
    ['without a use and an id', jwk(rsa.publicKey)],
    ['with key_ops that verify', jwk(rsa.publicKey, { key_ops: ['verify'] })],
    ['of another curve', jwk(p384.publicKey, { alg: 'ES384' })],
    ['for RSA with PSS', jwk(rsa.publicKey, { alg: 'PS256' })],
    ['that has come with a certificate and fields that nobody knows', jwk(rsa.publicKey, { x5c: ['MII'], extra: {} })],
  ])('takes a key %s', (_, key) => {
    expect(read([key])).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ['for encryption', jwk(rsa.publicKey, { use: 'enc' })],
    ['with an algorithm for encryption', jwk(rsa.publicKey, { alg: 'RSA-OAEP' })],
    ['with a symmetric algorithm', jwk(rsa.publicKey, { alg: 'HS256' })],
    ['with alg none', jwk(rsa.publicKey, { alg: 'none' })],
    ['with an algorithm of another kind of key', jwk(rsa.publicKey, { alg: 'ES256' })],
    ['with an algorithm of another curve', jwk(p384.publicKey, { alg: 'ES256' })],
    ['whose key_ops do not verify', jwk(rsa.publicKey, { key_ops: ['encrypt'] })],
    ['whose key_ops are no list', jwk(rsa.publicKey, { key_ops: 'verify' })],
    ['whose id is a number', jwk(rsa.publicKey, { kid: 7 })],
    ['of 1,024 bits', jwk(weak.publicKey)],
    ['that is a shared secret', { kty: 'oct', k: 'c2VjcmV0', kid: 'x' }],
    ['of a kind that Node cannot read', { kty: 'EC', crv: 'P-999', x: 'AA', y: 'AA' }],
    ['of a kind that is not used', { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
    ['that is broken', { ...good, x: 'AA' }],
    ['that is a text', 'key'],
    ['that is null', null],
    ['that is a list', []],
  ])('leaves out a key %s and keeps the others', (_, key) => {
    expect(read([key, good]).map(({ kid }) => kid)).toEqual(['good']);
    expect(() => read([key])).toThrow('no RSA or EC key');
  });

  it.each([
    ['', 'not JSON'],
    ['<html>', 'not JSON'],
    ['null', 'not a JSON Web Key Set'],
    ['7', 'not a JSON Web Key Set'],
    ['[]', 'not a JSON Web Key Set'],
    ['{}', 'not a JSON Web Key Set'],
    ['{"keys":{}}', 'not a JSON Web Key Set'],
    ['{"keys":[]}', 'no RSA or EC key'],
    [JSON.stringify({ keys: Array(501).fill(good) }), '501 keys'],
  ])('is refused as %.20s', (text, reason) => {
    expect(() => readKeySet(text)).toThrow(reason);
  });

  it('never has a private key, even where the issuer publishes one', () => {
    expect(read([jwk(ec.privateKey, { kid: 'k' })]).map(({ key }) => key.type)).toEqual(['public']);
  });
});

describe('the key of a token', () => {
  const keys = read([
    good,
    jwk(rsa.publicKey, { kid: 'r', alg: 'RS256' }),
    jwk(p384.publicKey, { kid: 'shared' }),
    jwk(rsa.publicKey, { kid: 'shared' }),
  ]);
  const chosen = (kid: string | undefined, alg?: string) => chooseKey(keys, kid, alg)?.key;

  it('is the one with its id and its algorithm', () => {
    expect(chosen('good', 'ES256')?.equals(ec.publicKey)).toBe(true);
    expect(chosen('r', 'RS256')?.equals(rsa.publicKey)).toBe(true);
    expect(chosen('r', 'RS512')).toBeUndefined();
    expect(chosen('nothing', 'ES256')).toBeUndefined();
  });

  it('is told apart by its kind where an id is shared', () => {
    expect(chosen('shared', 'ES384')?.equals(p384.publicKey)).toBe(true);
    expect(chosen('shared', 'RS256')?.equals(rsa.publicKey)).toBe(true);
    expect(chosen('shared')).toBeUndefined();
  });

  it('is not guessed where a token names none and several would do', () => {
    expect(chosen(undefined, 'RS256')).toBeUndefined();
    expect(chooseKey(keys.slice(0, 1), undefined, 'ES256')?.kid).toBe('good');
  });
});
