import type { FastifyRequest } from 'fastify';
import { unauthenticated } from '../errors/api-error';
import { timesSent } from '../http/times-sent';

const BEARER = /^Bearer +(\S+)$/i;

/**
 * The bearer token of a request; null where it has none.
 * @throws ApiError `unauthenticated` where credentials are sent more than once: Node would drop all but the first, a proxy may take the last
 */
export function bearerTokenOf({ headers, raw }: Pick<FastifyRequest, 'headers' | 'raw'>): string | null {
  if (timesSent(raw.rawHeaders, 'authorization') > 1) throw unauthenticated('The request has more than one Authorization header.');
  return BEARER.exec(headers.authorization ?? '')?.[1] ?? null;
}
