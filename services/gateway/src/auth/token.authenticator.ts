import type { KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { decode } from 'jsonwebtoken';
import { Passport } from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { unauthenticated, unavailable } from '../errors/api-error';
import { GatewayConfig } from '../gateway.config';
import { type Identity, identityOf } from './claims.rules';
import { KeysUnavailableError, UnknownKeyError, VerificationKeys } from './verification-keys';

/** What passport calls back with: `user` where the token is good, else `info` says why not. */
type Verdict = (error: unknown, user?: Identity | false, info?: unknown) => void;

/** Tells from the bearer token who asks. */
@Injectable()
export class TokenAuthenticator {
  // One's own rather than the package's singleton: two applications in one process must not share their rules.
  private readonly passport = new Passport();

  constructor(config: GatewayConfig, keys: VerificationKeys) {
    this.passport.use('jwt', strategy(config, keys));
  }

  /** @throws ApiError `unauthenticated`; `unavailable` where the issuer's keys cannot be had */
  identify(request: FastifyRequest): Promise<Identity> {
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
  return new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      algorithms: [...config.jwtAlgorithms],
      issuer: config.jwtIssuer,
      audience: config.jwtAudience,
      jsonWebTokenOptions: { clockTolerance: config.jwtClockToleranceSeconds },
      secretOrKeyProvider: (_request, token: string, done) => {
        keyFor(keys, token).then(
          // jsonwebtoken takes key objects, which are read once; the older type does not know of it.
          (key) => done(null, key as unknown as string),
          (error: unknown) => done(error),
        );
      },
    },
    (claims: unknown, done: (error: Error | null, user?: Identity) => void) => {
      const identity = identityOf(claims);
      if (typeof identity === 'string') done(unauthenticated(identity));
      else done(null, identity);
    },
  );
}

async function keyFor(keys: VerificationKeys, token: string): Promise<KeyObject> {
  const decoded = decode(token, { complete: true });
  if (!decoded) throw new UnknownKeyError('The token cannot be read');
  return keys.keyFor(decoded.header.kid);
}

/** Our sentences for the verifier's messages (jsonwebtoken, verify.js); what is not listed is a token that cannot be read. */
const SENTENCES: readonly [RegExp, string][] = [
  [/^jwt expired/, 'The token has expired.'],
  [/^jwt not active/, 'The token is not valid yet.'],
  [/^jwt audience invalid/, 'The token is not meant for this service (aud).'],
  [/^jwt issuer invalid/, 'The token is from another issuer (iss).'],
  [/^invalid algorithm|^jwt signature is required/, 'The algorithm of the token is not allowed.'],
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
