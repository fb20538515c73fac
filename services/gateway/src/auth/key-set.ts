import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** A public key that signatures are checked with, as the issuer describes it. */
export interface PublicKey {
  kid: string | undefined;
  /** The one algorithm that the issuer uses it with; undefined where it does not say. */
  alg: string | undefined;
  key: KeyObject;
}

type PublishedKey = JsonWebKey & { kid?: unknown; use?: unknown; alg?: unknown; key_ops?: unknown };

/** No issuer publishes as many; each costs a parse. */
const MOST_KEYS = 500;
const SIGNATURES = /^(?:RS|PS|ES)(?:256|384|512)$/;
/** RFC 7518, section 3.3, asks for at least 2,048 bits. The upper bound keeps the check of a signature cheap. */
const RSA_BITS = { least: 2_048, most: 16_384 };
const CURVE_OF: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };

/**
 * The keys of a JSON Web Key Set (RFC 7517) that check signatures. Those for encryption, secrets, and those of a kind that is not known are
 * left out, as the RFC asks. A key needs no `alg`: several large issuers publish none.
 * @throws Error that says in one sentence what is wrong, where there is not one such key
 */
export function readKeySet(text: string): PublicKey[] {
  const keys = publishedKeys(text);
  if (keys.length > MOST_KEYS) throw new Error(`the set has ${keys.length} keys, more than ${MOST_KEYS}`);
  const usable = keys.flatMap((each) => usableKey(each) ?? []);
  if (usable.length === 0) throw new Error('the set has no RSA or EC key for signatures');
  return usable;
}

/** The one key that a token with this header is signed with; undefined where none fits, or more than one does. */
export function chooseKey(keys: readonly PublicKey[], kid: string | undefined, alg: string | undefined): PublicKey | undefined {
  const named = keys.filter(
    (each) =>
      (kid === undefined || each.kid === undefined || each.kid === kid) &&
      (alg === undefined || each.alg === undefined || each.alg === alg),
  );
  // An id may be shared by keys of different kinds.
  const fitting = named.length > 1 && alg !== undefined ? named.filter(({ key }) => canSign(key, alg)) : named;
  return fitting.length === 1 ? fitting[0] : undefined;
}

function publishedKeys(text: string): unknown[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  const { keys } = (set ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('it is not a JSON Web Key Set');
  return keys;
}

function usableKey(published: unknown): PublicKey | undefined {
  if (typeof published !== 'object' || published === null) return undefined;
  const { kid, use, alg, key_ops, kty } = published as PublishedKey;
  if (kty !== 'RSA' && kty !== 'EC') return undefined;
  if (use !== undefined && use !== 'sig') return undefined;
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify'))) return undefined;
  if (alg !== undefined && !(typeof alg === 'string' && SIGNATURES.test(alg))) return undefined;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  const key = publicKeyOf(published as JsonWebKey);
  if (!key || (alg !== undefined && !canSign(key, alg))) return undefined;
  return { kid, alg, key };
}

function publicKeyOf(jwk: JsonWebKey): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    return bits === undefined || (bits >= RSA_BITS.least && bits <= RSA_BITS.most) ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Whether signatures of this algorithm can be made with the private half of the key. */
function canSign({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, alg: string): boolean {
  if (asymmetricKeyType === 'rsa') return alg.startsWith('RS') || alg.startsWith('PS');
  return asymmetricKeyDetails?.namedCurve === CURVE_OF[alg];
}
