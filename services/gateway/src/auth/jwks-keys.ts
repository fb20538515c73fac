import { createPublicKey, type KeyObject } from 'node:crypto';
import { JwksClient, SigningKeyNotFoundError } from 'jwks-rsa';
import { KeysUnavailableError, UnknownKeyError, VerificationKeys } from './verification-keys';

const CACHE_MS = 10 * 60_000;
const TIMEOUT_MS = 5_000;
const LOOKUPS_PER_MINUTE = 10;

/** The keys that an issuer publishes (RFC 7517), kept for ten minutes; an unknown id is looked up, at most ten times a minute. */
export class JwksKeys extends VerificationKeys {
  private readonly client: JwksClient;
  /** Reading a key out of its text takes longer than checking a signature with it. */
  private readonly read = new Map<string, KeyObject>();

  constructor(uri: string) {
    super();
    this.client = new JwksClient({
      jwksUri: uri,
      cache: true,
      cacheMaxAge: CACHE_MS,
      rateLimit: true,
      jwksRequestsPerMinute: LOOKUPS_PER_MINUTE,
      timeout: TIMEOUT_MS,
    });
  }

  override async keyFor(kid: string | undefined): Promise<KeyObject> {
    try {
      return this.keyOf((await this.client.getSigningKey(kid)).getPublicKey());
    } catch (error) {
      if (error instanceof SigningKeyNotFoundError) throw new UnknownKeyError(error.message, { cause: error });
      throw new KeysUnavailableError((error as Error).message, { cause: error });
    }
  }

  private keyOf(pem: string): KeyObject {
    const known = this.read.get(pem);
    if (known) return known;
    // Issuers change keys; the old ones need not be kept.
    if (this.read.size >= 100) this.read.clear();
    const key = createPublicKey(pem);
    this.read.set(pem, key);
    return key;
  }
}
