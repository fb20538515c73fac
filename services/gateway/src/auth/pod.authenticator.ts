import { Injectable } from '@nestjs/common';
import { type PodIdentity, verifyPodToken } from '@reprise/contracts';
import type { FastifyRequest } from 'fastify';
import { unauthenticated } from '../errors/api-error';
import { GatewayConfig } from '../gateway.config';
import { bearerTokenOf } from './bearer-token';

/** Tells from a pod token which pod speaks. */
@Injectable()
export class PodAuthenticator {
  constructor(private readonly config: GatewayConfig) {}

  /** @throws ApiError `unauthenticated` */
  identify(request: FastifyRequest): PodIdentity {
    const token = bearerTokenOf(request);
    if (token === null) throw unauthenticated();
    const { podTokenSecret, podTokenSecretPrevious: previous } = this.config;
    const pod = verifyPodToken(podTokenSecret, token) ?? (previous === undefined ? null : verifyPodToken(previous, token));
    if (!pod) throw unauthenticated('The token is not that of a pod.');
    return pod;
  }
}
