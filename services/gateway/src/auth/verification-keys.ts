import type { KeyObject } from 'node:crypto';

/** No key of the issuer fits the token. */
export class UnknownKeyError extends Error {}

/** The issuer's keys cannot be had just now, so nothing can be said about the token. */
export class KeysUnavailableError extends Error {}

/** Where the keys come from that tokens are checked with. */
export abstract class VerificationKeys {
  /**
   * The public key with this id that is used with this algorithm; with no id, the only one there is.
   * @throws UnknownKeyError, KeysUnavailableError
   */
  abstract keyFor(kid: string | undefined, alg?: string): Promise<KeyObject>;
}
