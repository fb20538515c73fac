import { bytesOfSecret, ENCRYPTED_SECRET, SecretError, SecretKeys } from './secret-keys';

const OLD = 'the-key-before-of-some-length-1234';
const NEW = 'the-key-of-today-of-some-length-123';
const PLACE = { orgId: 'acme', roleId: 'role_1', name: 'API_KEY' };
const VALUES = ['', 'x', 's3cret', 'ünïcödé ☃ 🚀', 'line\nbreak\ttab', 'a'.repeat(32_768), '"quoted" $(not run)', '\u0000'];

const thrown = (work: () => unknown): Error => {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown');
};

it.each(VALUES)('a value comes back as it was, and twice encrypted it looks different (%#)', (value) => {
  const keys = new SecretKeys(NEW);
  const [one, two] = [keys.encrypt(value, PLACE), keys.encrypt(value, PLACE)];
  expect(one).not.toBe(two);
  for (const secret of [one, two]) {
    expect(secret).toMatch(ENCRYPTED_SECRET);
    expect(keys.decrypt(secret, PLACE)).toBe(value);
    expect(bytesOfSecret(secret)).toBe(Buffer.byteLength(value));
  }
});

it('a secret decrypts for no other organization, role or variable', () => {
  const keys = new SecretKeys(NEW);
  const secret = keys.encrypt('s3cret', PLACE);
  for (const other of [{ orgId: 'evil' }, { roleId: 'role_2' }, { name: 'OTHER' }])
    expect(() => keys.decrypt(secret, { ...PLACE, ...other })).toThrow(SecretError);
});

it('a secret that was changed anywhere does not decrypt', () => {
  const keys = new SecretKeys(NEW);
  const secret = keys.encrypt('s3cret', PLACE);
  const swapped = (at: number) => secret.slice(0, at) + (secret[at] === 'A' ? 'B' : 'A') + secret.slice(at + 1);
  // The last character may hold bits that say nothing.
  for (let at = 0; at < secret.length - 1; at++) expect(() => keys.decrypt(swapped(at), PLACE)).toThrow(SecretError);
});

it('the key before decrypts what it encrypted, and nothing new is encrypted with it', () => {
  const before = new SecretKeys(OLD).encrypt('s3cret', PLACE);
  const rotated = new SecretKeys(NEW, OLD);
  expect(rotated.decrypt(before, PLACE)).toBe('s3cret');
  expect(new SecretKeys(NEW).decrypt(rotated.encrypt('s3cret', PLACE), PLACE)).toBe('s3cret');
  const error = thrown(() => new SecretKeys(NEW).decrypt(before, PLACE));
  expect(error).toBeInstanceOf(SecretError);
  expect(error.message).toMatch(/^API_KEY was encrypted with a key that is not configured here \(key id [0-9a-f]{8}\)$/);
});

it('an error never holds the value or the key', () => {
  const keys = new SecretKeys(NEW);
  const secret = keys.encrypt('s3cret', PLACE);
  for (const wrong of [secret.slice(0, -8), 'v1.00000000.' + 'A'.repeat(40), 's3cret', '', 'v2.x.y'])
    expect(thrown(() => keys.decrypt(wrong, PLACE)).message).not.toMatch(/s3cret|of-today/);
});
