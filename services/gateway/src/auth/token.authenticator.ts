import type { KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { decode } from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { Passport } from 'passport';
import { Strategy } from 'passport-jwt';
import { unauthenticated, unavailable } from '../errors/api-error';
import { GatewayConfig } from '../gateway.config';
import { bearerTokenOf } from './bearer-token';
import { type Identity, identityOf } from './claims.rules';
import { KeysUnavailableError, UnknownKeyError, VerificationKeys } from './verification-keys';

/** A key of the issuer's, and the header that it was asked for by. */
interface KeyInUse {
  kid: string | undefined;
  alg: string;
  key: KeyObject;
}

/** A token that was found good, until when it is, and by which key. */
interface GoodToken extends KeyInUse {
  identity: Identity;
  expiresAtMs: number;
}

/** What passport calls back with: `user` where the token is good, else `info` says why not. */
type Verdict = (error: unknown, user?: GoodToken | false, info?: unknown) => void;

/** How much memory good tokens may take, in characters. */
const MOST_REMEMBERED = 8 * 1024 * 1024;

/**
 * Tells from the bearer token who asks. A token that was found good is so for as long as it has not expired and the issuer has the key that it
 * is signed with: its signature is checked once.
 */
@Injectable()
export class TokenAuthenticator {
  // One's own rather than the package's singleton: two applications in one process must not share their rules.
  private readonly passport = new Passport();
  private readonly good = new LRUCache<string, GoodToken>({
    maxSize: MOST_REMEMBERED,
    sizeCalculation: (_good, token) => token.length,
  });

  constructor(
    config: GatewayConfig,
    private readonly keys: VerificationKeys,
  ) {
    this.passport.use('jwt', strategy(config, keys));
  }

  /** @throws ApiError `unauthenticated`; `unavailable` where the issuer's keys cannot be had */
  async identify(request: FastifyRequest): Promise<Identity> {
    const token = bearerTokenOf(request);
    if (token === null) throw unauthenticated();
    const known = this.good.get(token);
    if (known && (await this.isStillGood(known))) return known.identity;
    const found = await this.check(request);
    this.good.set(token, found);
    return found.identity;
  }

  /** @throws ApiError `unavailable` where the issuer's keys cannot be had */
  private async isStillGood({ expiresAtMs, kid, alg, key }: GoodToken): Promise<boolean> {
    if (Date.now() >= expiresAtMs) return false;
    try {
      return (await this.keys.keyFor(kid, alg)) === key;
    } catch (error) {
      // Where the key has gone, the whole check says what is to be said; where keys cannot be had, it could not be made.
      if (error instanceof UnknownKeyError) return false;
      throw refusalFor(error);
    }
  }

  private check(request: FastifyRequest): Promise<GoodToken> {
    return new Promise((resolve, reject) => {
      const verdict: Verdict = (error, user, info) => {
        if (user) resolve(user);
        else reject(refusalFor(error ?? info));
      };
      const authenticate = this.passport.authenticate('jwt', { session: false }, verdict) as (...args: unknown[]) => void;
      authenticate(request, undefined, (error: unknown) => reject(refusalFor(error)));
    });
  }
}

function strategy(config: GatewayConfig, keys: VerificationKeys): Strategy {
  const keysInUse = new WeakMap<object, KeyInUse>();
  return new Strategy(
    {
      jwtFromRequest: bearerTokenOf as (request: unknown) => string | null,
      algorithms: [...config.jwtAlgorithms],
      issuer: config.jwtIssuer,
      audience: [config.jwtAudience, ...(config.operatorAudience === undefined ? [] : [config.operatorAudience])],
      jsonWebTokenOptions: { clockTolerance: config.jwtClockToleranceSeconds },
      passReqToCallback: true,
      secretOrKeyProvider: (request: object, token: string, done) => {
        keyFor(keys, config, token).then(
          (inUse) => {
            keysInUse.set(request, inUse);
            // jsonwebtoken takes key objects, which are read once; the older type does not know of it.
            done(null, inUse.key as unknown as string);
          },
          (error: unknown) => done(error),
        );
      },
    },
    (request: object, claims: unknown, done: (error: Error | null, user?: GoodToken) => void) => {
      const identity = identityOf(claims, config);
      const inUse = keysInUse.get(request);
      if (typeof identity === 'string') return done(unauthenticated(identity));
      if (!inUse) return done(new Error('A token was checked with no key'));
      const { exp } = claims as { exp: number };
      done(null, { identity, expiresAtMs: (exp + config.jwtClockToleranceSeconds) * 1000, ...inUse });
    },
  );
}

const WRONG_ALGORITHM = 'The algorithm of the token is not allowed.';

async function keyFor(keys: VerificationKeys, { jwtAlgorithms }: GatewayConfig, token: string): Promise<KeyInUse> {
  const decoded = decode(token, { complete: true });
  if (!decoded) throw unauthenticated('The token cannot be read.');
  const { kid, alg } = decoded.header as { kid?: unknown; alg?: unknown };
  // Before a key is looked for: what cannot be good must not make the issuer be asked.
  if (!jwtAlgorithms.some((each) => each === alg)) throw unauthenticated(WRONG_ALGORITHM);
  if (kid !== undefined && typeof kid !== 'string') throw unauthenticated('The token cannot be read.');
  return { kid, alg: alg as string, key: await keys.keyFor(kid, alg as string) };
}

/** Our sentences for the verifier's messages (jsonwebtoken, verify.js); what is not listed is a token that cannot be read. */
const SENTENCES: readonly [RegExp, string][] = [
  [/^jwt expired/, 'The token has expired.'],
  [/^jwt not active/, 'The token is not valid yet.'],
  [/^jwt audience invalid/, 'The token is not meant for this service (aud).'],
  [/^jwt issuer invalid/, 'The token is from another issuer (iss).'],
  [/^invalid algorithm|^jwt signature is required/, WRONG_ALGORITHM],
  [/^invalid signature/, 'The signature of the token is wrong.'],
];

function refusalFor(problem: unknown): Error {
  if (!(problem instanceof Error)) return unauthenticated('The token cannot be read.');
  if (problem.name === 'ApiError') return problem;
  if (problem instanceof KeysUnavailableError) return unavailable('Tokens cannot be checked right now; repeat the request.', problem);
  if (problem instanceof UnknownKeyError) return unauthenticated('The token is signed with a key that is not known.', problem);
  if (problem.message === 'No auth token') return unauthenticated();
  const [, sentence] = SENTENCES.find(([pattern]) => pattern.test(problem.message)) ?? [undefined, 'The token cannot be read.'];
  return unauthenticated(sentence, problem);
}
