import { Injectable } from '@nestjs/common';
import { addToContext, clientAddress } from '@reprise/platform';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { ApiError, apiError, unauthenticated } from '../errors/api-error';
import { countedAddress } from '../limits/counted-address';
import { RateLimiter } from '../limits/rate-limiter';
import type { Identity } from './claims.rules';
import { PodAuthenticator } from './pod.authenticator';
import type { Access } from './requires.decorator';
import { type RouteScope, reachOf, requiredScopes } from './scopes.rules';
import { TokenAuthenticator } from './token.authenticator';

const API = /^\/v1(\/|$)/;
const WRONG_AUDIENCE = 'The token is meant for the routes of operators alone (aud).';
const NOT_OF_OPERATORS =
  'The scopes of operators count only in tokens of an organization in OPERATOR_ORGS, or for the audience OPERATOR_AUDIENCE.';

/**
 * Decides, before a byte of the body is read, whether the caller may use the route: 404 for no route, then 401, 429, 403 by scope. Nest's
 * guards run after Fastify has read the body, too late for that order.
 */
@Injectable()
export class AccessHook {
  constructor(
    private readonly tokens: TokenAuthenticator,
    private readonly pods: PodAuthenticator,
    private readonly limiter: RateLimiter,
  ) {}

  /** To be called before the routes are made. */
  attach(fastify: FastifyInstance): void {
    fastify.decorateRequest('identity', undefined);
    fastify.decorateRequest('pod', undefined);
    fastify.addHook('onRoute', prepareRoute);
    fastify.addHook('onRequest', async (request, reply) => {
      if (request.is404 || hasEmptyPart(request)) throw apiError('route_not_found');
      const { access } = request.routeOptions.config;
      if (access) await this.admit(access, request, reply);
    });
  }

  private async admit(access: Access, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    reply.header('cache-control', 'no-store');
    const who = await this.authenticate(access, request);
    await this.limiter.count(who, reply);
    if (access.by === 'token' && request.identity) mustOpen(access.scope, request.identity);
  }

  private async authenticate(access: Access, request: FastifyRequest): Promise<string> {
    try {
      if (access.by === 'pod') {
        request.pod = this.pods.identify(request);
        addToContext({ workspaceId: request.pod.workspaceId });
        return `pod ${request.pod.workspaceId}`;
      }
      request.identity = await this.tokens.identify(request);
      const { orgId, sub } = request.identity;
      addToContext({ orgId, subject: sub });
      return `caller ${orgId} ${sub}`;
    } catch (error) {
      // Only failures count against an address: many callers may share one.
      if (error instanceof ApiError && error.refusal.code === 'unauthenticated')
        await this.limiter.count(`address ${countedAddress(clientAddress(request))}`);
      throw error;
    }
  }
}

/** @throws ApiError where the token does not open a route of this scope */
function mustOpen(scope: RouteScope | null, { permissions, isForTenants, isOperators }: Identity): void {
  const forOperators = scope?.startsWith('ops:') === true;
  if (!forOperators && !isForTenants) throw unauthenticated(WRONG_AUDIENCE);
  if (scope === null) return;
  const required = requiredScopes(scope);
  if (reachOf(scope, permissions) === null) throw apiError('permission_denied', { required });
  if (forOperators && !isOperators) throw apiError('permission_denied', { required }, NOT_OF_OPERATORS);
}

/** The router takes nothing for an id where the path ends in a slash; Nest would say so too, but only after the token. */
function hasEmptyPart({ params }: FastifyRequest): boolean {
  return Object.values(params as Record<string, string>).includes('');
}

/** Lets no route of the API be without a rule, and gives those that read more than others their own limit. */
function prepareRoute(route: RouteOptions): void {
  const access = route.config?.access;
  if (!access && API.test(route.url)) throw new Error(`${String(route.method)} ${route.url} does not say what it requires`);
  if (access?.bodyLimit !== undefined) route.bodyLimit = access.bodyLimit;
}
