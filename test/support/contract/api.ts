import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleBeyondSchema, Schema } from '@reprise/contracts';
import { ROOT } from '../settings';
import { closed, Schemas } from './schemas';

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Schema;
}

export interface Response {
  headers: Record<string, { $ref: string }>;
  content: { 'application/json': { schema: Schema; examples?: Record<string, unknown> } };
}

/** An operation of docs/openapi.json. */
export interface Operation {
  /** Such as `POST /v1/workspaces`. */
  title: string;
  method: string;
  path: string;
  parameters: Parameter[];
  body?: { required: boolean; schema: Schema; beyond: RuleBeyondSchema[] };
  responses: Record<string, Response>;
}

interface Written {
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: { 'application/json': { schema: Schema } }; 'x-beyond-schema': RuleBeyondSchema[] };
  responses: Record<string, Response>;
}

interface OpenApi {
  info: { description: string };
  paths: Record<string, Record<string, Written>>;
  components: { schemas: Record<string, Schema>; headers: Record<string, { schema: Schema }> };
}

const document = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as OpenApi;

export const DESCRIPTION = document.info.description;
/** For what is sent. */
export const INPUTS = new Schemas(document);
/** For what is answered: nothing may be there that is not documented. */
export const ANSWERS = new Schemas(closed(document));

/** Every operation that the document has. */
export const OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => ({
    title: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    parameters,
    ...(requestBody
      ? {
          body: {
            required: requestBody.required,
            schema: requestBody.content['application/json'].schema,
            beyond: requestBody['x-beyond-schema'],
          },
        }
      : {}),
    responses,
  })),
);

/** The schema of a header by its reference. */
export function headerSchema({ $ref }: { $ref: string }): Schema {
  const found = document.components.headers[$ref.replace('#/components/headers/', '')];
  if (!found) throw new Error(`${$ref} is not in the document`);
  return found.schema;
}
