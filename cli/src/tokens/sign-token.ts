import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Algorithm, sign } from 'jsonwebtoken';
import type { Scope } from '@reprise/contracts';
import type { Environment } from '../environment';
import { Failure, reasonOf } from '../failure';

/** Who a token speaks for, and what it allows. */
export interface TokenRequest {
  org: string;
  sub: string;
  permissions: readonly Scope[];
  ttlSeconds: number;
}

/**
 * A token of the instance's own issuer, as the gateway accepts it. Only an embedded instance holds the key; everywhere else tokens come from
 * the organization's own OpenID Connect issuer.
 * @throws Failure where the instance signs no tokens, or its key is of no use
 */
export function signToken(environment: Environment, { org, sub, permissions, ttlSeconds }: TokenRequest): string {
  const file = environment.need('JWT_PRIVATE_KEY_FILE', 'the key that signs tokens, in the embedded mode only');
  const key = readKey(file);
  return sign({ org_id: org, permissions }, key, {
    algorithm: algorithmOf(key),
    subject: sub,
    issuer: environment.need('JWT_ISSUER', 'the issuer that the gateway trusts'),
    audience: environment.need('JWT_AUDIENCE', 'the audience that the gateway expects'),
    expiresIn: ttlSeconds,
  });
}

function readKey(file: string): KeyObject {
  try {
    return createPrivateKey(readFileSync(file));
  } catch (error) {
    throw new Failure(`the key in ${file} cannot be used: ${reasonOf(error)}`);
  }
}

/** Asymmetric ones only: those are all that the gateway accepts. */
function algorithmOf(key: KeyObject): Algorithm {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  const curve = key.asymmetricKeyType === 'ec' ? key.asymmetricKeyDetails?.namedCurve : undefined;
  if (curve === 'prime256v1') return 'ES256';
  if (curve === 'secp384r1') return 'ES384';
  throw new Failure('the signing key must be an RSA key, or an EC key on P-256 or P-384');
}
