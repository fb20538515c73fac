import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UnknownKeyError, VerificationKeys } from './verification-keys';

interface FileKey {
  kid: string | undefined;
  key: KeyObject;
}

/** The keys in a file, read once: one in PEM, or a JSON Web Key Set. */
export class FileKeys extends VerificationKeys {
  private readonly keys: readonly FileKey[];

  /** @throws Error that says in one line what is wrong with the file */
  constructor(file: string) {
    super();
    try {
      this.keys = parse(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new Error(`JWT_PUBLIC_KEY_FILE: no public key can be read from ${file}: ${(error as Error).message}`, { cause: error });
    }
  }

  override keyFor(kid: string | undefined): Promise<KeyObject> {
    const fitting = this.keys.filter((each) => kid === undefined || each.kid === undefined || each.kid === kid);
    const [only] = fitting;
    if (!only || fitting.length > 1) return Promise.reject(new UnknownKeyError(`There is no one key for kid ${kid ?? '(none)'}`));
    return Promise.resolve(only.key);
  }
}

function parse(text: string): FileKey[] {
  if (!text.trimStart().startsWith('{')) {
    if (text.includes('PRIVATE KEY')) throw new Error('it is a private key, which does not belong here');
    return [{ kid: undefined, key: createPublicKey(text) }];
  }
  const set = JSON.parse(text) as { keys?: (JsonWebKey & { kid?: string; use?: string })[] };
  const usable = (set.keys ?? []).filter(({ kty, use }) => (kty === 'RSA' || kty === 'EC') && (use === undefined || use === 'sig'));
  if (usable.length === 0) throw new Error('the set has no RSA or EC key for signatures');
  return usable.map((jwk) => ({ kid: jwk.kid, key: createPublicKey({ key: jwk, format: 'jwk' }) }));
}
