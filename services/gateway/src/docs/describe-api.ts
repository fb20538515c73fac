import type { Type } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { EXAMPLE, JSON_VALUE } from '@reprise/contracts';
import { requiredScopes } from '../auth/scopes.rules';
import { SECURITY_HEADERS } from '../http/security-headers';
import { HEADERS, headersOf } from './headers';
import { ORDER_OF_CHECKS } from './order-of-checks';
import { refusalResponses, refusalsOf } from './refusals';
import { type DocumentedRoute, routesOf } from './routes';
import { requestBodyOf } from './request-body';
import { ref, type Schema } from './schema';
import { schemaOf } from './schema-of-rules';
import { SCHEMAS } from './schemas';

const INTRODUCTION = `Reprise keeps stateful agent workspaces: pods that are restarted, stopped and resumed without losing what is in them.

Every error has the same body, with one code of a closed list. A scope with \`:own\` reaches only what the caller created. Creating and starting need
the organization's billing in order; stopping, archiving and reading never do.

Checks run in this order, and the first that fails is the answer:

${ORDER_OF_CHECKS}

A request that carries an \`Idempotency-Key\` can be repeated: it has one effect and one answer. A repeated request gets its first answer where 422
stands in this order: before 404 and 409, so that it gets that answer also when its workspace has changed since. That answer also comes before 423.

A query parameter is given once, and written as JSON writes it: \`true\`, \`50\`. One that the operation does not have is refused. An id in a path or a body that has the wrong form is not found (404),
as one that does not exist. Where JSON Schema has no word for a rule, \`x-beyond-schema\` lists it, with its limit and the code of the refusal.

Every answer also has ${SECURITY_HEADERS.map((name) => `\`${name}\``).join(', ')}.`;

/** The description of the API in OpenAPI 3.1, made from the decorators and rules that the routes work by. */
export function describeApi(controllers: readonly Type[], version: string): OpenAPIObject {
  const routes = routesOf(controllers);
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route);
  const bodies = routes.flatMap(({ method, body }) => (method === 'get' ? [] : [[body.name, schemaOf(body)]]));
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
      schemas: { ...SCHEMAS, JsonValue: JSON_VALUE, ...(Object.fromEntries(bodies) as Record<string, Schema>) },
    },
  };
  // The package's types know OpenAPI 3.0; its user interface reads 3.1 as well.
  return document as unknown as OpenAPIObject;
}

function operationOf(route: DocumentedRoute): object {
  const { name, method, access, answer } = route;
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
    ...(method === 'get' ? {} : { requestBody: requestBodyOf(route) }),
    responses: { [String(answer.status)]: successOf(route), ...refusalResponses(refusalsOf(route)) },
  };
}

function successOf({ answer }: DocumentedRoute): object {
  return { description: answer.summary, headers: headersOf(answer.status), content: { 'application/json': { schema: ref(answer.body) } } };
}

function parametersOf({ method, parameters, query }: DocumentedRoute): object[] {
  const { properties = {} } = schemaOf(query);
  return [
    ...parameters.map((name) => {
      const example = EXAMPLE[name.replace('_id', '') as keyof typeof EXAMPLE];
      return { name, in: 'path', required: true, schema: { type: 'string', minLength: 1 }, example };
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
  // HTTP takes spaces around the value for none of it.
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~](?:[ -~]*[!-~])?$' },
};
