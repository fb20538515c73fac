import { RouteConfig } from '@nestjs/platform-fastify';
import type { PodIdentity } from '@reprise/contracts';
import type { Identity } from './claims.rules';
import type { RouteScope } from './scopes.rules';

/** What a route asks of its caller. It stands in Fastify's route config, so that it can be checked before the body is read. */
export type Access =
  | {
      by: 'token';
      /** Null: any valid token. */
      scope: RouteScope | null;
      /** Whether it adds or brings up, so that billing has a say. */
      adds: boolean;
      /** The largest body that the route reads, in bytes, where that is more than others do. */
      bodyLimit?: number;
    }
  | { by: 'pod'; bodyLimit: number };

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Who asks; set on routes that ask for a token. */
    identity?: Identity;
    /** Which pod asks; set on the routes of pods. */
    pod?: PodIdentity;
  }
}

/** The route needs this scope or its `:own`; with `adds`, the tenant's billing in order as well. */
export function Requires(scope: RouteScope, { adds = false, bodyLimit }: { adds?: boolean; bodyLimit?: number } = {}): MethodDecorator {
  return RouteConfig({ access: { by: 'token', scope, adds, bodyLimit } satisfies Access });
}

/** The route needs a valid token and no scope. */
export function RequiresToken(): MethodDecorator {
  return RouteConfig({ access: { by: 'token', scope: null, adds: false } satisfies Access });
}

/** The route is for pods, with their own tokens. */
export function RequiresPod({ bodyLimit }: { bodyLimit: number }): MethodDecorator {
  return RouteConfig({ access: { by: 'pod', bodyLimit } satisfies Access });
}
