import type { Type } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { EXAMPLE } from '@reprise/contracts';
import { requiredScopes } from '../auth/scopes.rules';
import { Nothing } from '../input/inputs-of';
import { refusalResponses, refusalsOf } from './refusals';
import { type DocumentedRoute, routesOf } from './routes';
import { ref, type Schema } from './schema';
import { schemaOf } from './schema-of-rules';
import { SCHEMAS } from './schemas';

const INTRODUCTION = `Reprise keeps stateful agent workspaces: pods that are restarted, stopped and resumed without losing what is in them.

Every error has the same body, with one code of a closed list. Checks run in this order: 401, 403 by scope, 400, 423, 404, 403 by creator, 409.
A scope with \`:own\` reaches only what the caller created. What adds or brings up needs the organization's billing in order; what winds down
and what reads never does. A request that carries an \`Idempotency-Key\` can be repeated: it has one effect and one answer.`;

/** The description of the API in OpenAPI 3.1, made from the decorators and rules that the routes work by. */
export function describeApi(controllers: readonly Type[], version: string): OpenAPIObject {
  const routes = routesOf(controllers);
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route);
  const bodies = routes.flatMap(({ body }) => (body === Nothing ? [] : [[body.name, schemaOf(body)]]));
  const document = {
    openapi: '3.1.0',
    info: { title: 'Reprise', version, description: INTRODUCTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Claims: sub, org_id, permissions, exp.' },
      },
      headers: HEADERS,
      schemas: { ...SCHEMAS, ...(Object.fromEntries(bodies) as Record<string, Schema>) },
    },
  };
  // The package's types know OpenAPI 3.0; its user interface reads 3.1 as well.
  return document as unknown as OpenAPIObject;
}

function operationOf(route: DocumentedRoute): object {
  const { name, access, answer, body } = route;
  const needs =
    access.scope === null
      ? 'any valid token'
      : requiredScopes(access.scope)
          .map((scope) => `\`${scope}\``)
          .join(' or ');
  const billing = access.adds ? ' Needs billing in order.' : '';
  return {
    operationId: name,
    tags: [tagOf(route)],
    summary: answer.summary,
    description: `${answer.description ? `${answer.description}\n\n` : ''}Needs ${needs}.${billing}`,
    security: [{ token: [] }],
    parameters: parametersOf(route),
    ...(body === Nothing ? {} : { requestBody: { required: true, content: { 'application/json': { schema: ref(body.name) } } } }),
    responses: { [String(answer.status)]: successOf(route), ...refusalResponses(refusalsOf(route)) },
  };
}

function successOf({ answer }: DocumentedRoute): object {
  const headers = {
    'X-Request-Id': { $ref: '#/components/headers/RequestId' },
    'X-RateLimit-Limit': { $ref: '#/components/headers/RateLimit' },
    'X-RateLimit-Remaining': { $ref: '#/components/headers/RateRemaining' },
  };
  return { description: answer.summary, headers, content: { 'application/json': { schema: ref(answer.body) } } };
}

function parametersOf({ method, parameters, query }: DocumentedRoute): object[] {
  const { properties = {} } = schemaOf(query);
  return [
    ...parameters.map((name) => {
      const example = EXAMPLE[name.replace('_id', '') as keyof typeof EXAMPLE];
      return { name, in: 'path', required: true, schema: { type: 'string' }, example };
    }),
    ...Object.entries(properties).map(([name, { description, ...schema }]) => ({
      name,
      in: 'query',
      required: false,
      description,
      schema,
    })),
    ...(method === 'get' ? [] : [KEY]),
  ];
}

function tagOf({ path }: DocumentedRoute): string {
  if (path.includes('/task')) return 'tasks';
  return path.split('/')[2] ?? '';
}

const KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Remembered for the org for at least 24 hours: the same key with the same request has one effect and gets the first answer.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[ -~]+$' },
};

const HEADERS = {
  RequestId: {
    description: 'Taken from the request where it has a fit one, else made. It finds the request in the logs.',
    schema: { type: 'string' },
  },
  Challenge: { description: 'What is wrong with the token (RFC 6750).', schema: { type: 'string' } },
  RetryAfter: { description: 'After how many seconds to repeat the request.', schema: { type: 'integer', minimum: 1 } },
  RateLimit: {
    description: 'How many requests the caller may send in a minute; absent where there is no limit.',
    schema: { type: 'integer' },
  },
  RateRemaining: { description: 'How many of them are left.', schema: { type: 'integer' } },
};
