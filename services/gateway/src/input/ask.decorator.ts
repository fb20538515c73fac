import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Caller, Idempotency } from '@reprise/contracts';
import type { FastifyRequest } from 'fastify';
import { reachOf } from '../auth/scopes.rules';
import { unauthenticated } from '../errors/api-error';
import { idempotencyOf } from './idempotency';
import { type Inputs, inputsOf, Nothing } from './inputs-of';
import { readInput } from './read-input';

/** Who asks, how far he reaches on this route, and under which key: what goes with every command and query. */
export interface Asking {
  orgId: string;
  caller: Caller;
  /** Whether the route adds or brings up, so that billing has a say. */
  adds: boolean;
  idempotency: Idempotency | undefined;
  /** Whether the caller may change roles and providers, and so read all that they hold. */
  seesValues: boolean;
}

/** What a query for roles or providers says of its caller. */
export function valuesFor({ seesValues }: Asking): { with_values?: true } {
  return seesValues ? { with_values: true } : {};
}

/** Gives a handler its {@link Asking}. It also refuses a body or a query that the handler does not take. */
export const Ask = createParamDecorator((_: unknown, context: ExecutionContext): Asking => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const inputs = inputsOf(context.getClass(), context.getHandler().name);
  refuseWhatIsNotTaken(inputs, request);
  return askingOf(request);
});

function refuseWhatIsNotTaken({ query, body }: Inputs, request: FastifyRequest): void {
  if (query === Nothing && !isEmpty(request.query)) readInput(Nothing, request.query, 'query');
  if (body === Nothing && !isEmpty(request.body)) readInput(Nothing, request.body, 'body');
}

/** Of most requests; what says nothing needs no reading. */
function isEmpty(sent: unknown): boolean {
  return sent === undefined || (typeof sent === 'object' && sent !== null && !Array.isArray(sent) && Object.keys(sent).length === 0);
}

function askingOf({ identity, routeOptions, headers, method, url, query, body }: FastifyRequest): Asking {
  const { access } = routeOptions.config;
  if (!identity || access?.by !== 'token') throw unauthenticated();
  const own_only = access.scope !== null && reachOf(access.scope, identity.permissions) !== 'all';
  const path = decodeURIComponent(url.split('?', 1)[0] ?? '');
  return {
    orgId: identity.orgId,
    caller: { sub: identity.sub, own_only },
    adds: access.adds,
    idempotency:
      method === 'GET' ? undefined : idempotencyOf(headers['idempotency-key'], { method, path, query, body: withoutSecrets(body) }),
    seesValues: reachOf('caps:write', identity.permissions) === 'all',
  };
}

/** The hash of a request is stored: values that must not be guessed from it are no part of it. `RoleSecrets` adds them with a key. */
function withoutSecrets(body: unknown): unknown {
  const { secret_env: secrets } = (body ?? {}) as { secret_env?: unknown };
  if (typeof secrets !== 'object' || secrets === null) return body;
  return { ...(body as object), secret_env: Object.keys(secrets).sort() };
}
