import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chooseKey, type PublicKey, readKeySet } from './key-set';
import { UnknownKeyError, VerificationKeys } from './verification-keys';

/** The keys in a file, read once: one in PEM, or a JSON Web Key Set. */
export class FileKeys extends VerificationKeys {
  private readonly keys: readonly PublicKey[];

  /** @throws Error that says in one line what is wrong with the file */
  constructor(file: string) {
    super();
    try {
      this.keys = parse(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new Error(`JWT_PUBLIC_KEY_FILE: no public key can be read from ${file}: ${(error as Error).message}`, { cause: error });
    }
  }

  override keyFor(kid: string | undefined, alg?: string): Promise<KeyObject> {
    const found = chooseKey(this.keys, kid, alg);
    return found ? Promise.resolve(found.key) : Promise.reject(new UnknownKeyError('There is no one key for the token'));
  }
}

function parse(text: string): PublicKey[] {
  if (text.trimStart().startsWith('{')) return readKeySet(text);
  if (text.includes('PRIVATE KEY')) throw new Error('it is a private key, which does not belong here');
  return [{ kid: undefined, alg: undefined, key: createPublicKey(text) }];
}
