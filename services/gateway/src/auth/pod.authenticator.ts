import { Injectable } from '@nestjs/common';
import { type PodIdentity, verifyPodToken } from '@reprise/contracts';
import type { FastifyRequest } from 'fastify';
import { unauthenticated } from '../errors/api-error';
import { GatewayConfig } from '../gateway.config';

const BEARER = /^Bearer +(\S+)$/i;

/** Tells from a pod token which pod speaks. */
@Injectable()
export class PodAuthenticator {
  constructor(private readonly config: GatewayConfig) {}

  /** @throws ApiError `unauthenticated` */
  identify({ headers }: FastifyRequest): PodIdentity {
    const token = BEARER.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated();
    const { podTokenSecret, podTokenSecretPrevious: previous } = this.config;
    const pod = verifyPodToken(podTokenSecret, token) ?? (previous === undefined ? null : verifyPodToken(previous, token));
    if (!pod) throw unauthenticated('The token is not that of a pod.');
    return pod;
  }
}
