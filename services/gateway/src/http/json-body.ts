import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { invalid } from '../errors/api-error';

/** The largest body of the public API, in bytes. */
export const BODY_LIMIT = 1_048_576;
const DEEPEST = 64;

type Done = (error: Error | null, body?: unknown) => void;

/** Reads JSON and nothing else; an empty body is no body. */
export function readJsonBodies(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  const parse = fastify.getDefaultJsonParser('error', 'error') as (request: FastifyRequest, text: string, done: Done) => void;
  fastify.removeContentTypeParser('text/plain');
  app.useBodyParser('application/json', { bodyLimit: BODY_LIMIT }, (request: FastifyRequest, body: Buffer, done: Done) => {
    const text = decoded(body);
    if (text === undefined) return done(invalid({ body: 'is not UTF-8' }));
    if (text.trim() === '') return done(null, undefined);
    parse(request, text, (error, value) => {
      if (error) done(invalid({ body: 'is not valid JSON' }));
      else if (isDeep(value)) done(invalid({ body: `is nested deeper than ${DEEPEST} levels` }));
      else done(null, value);
    });
  });
}

function decoded(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

/** Whether the value nests so deep that what walks it by recursion, JSON.stringify for one, could run out of stack. */
function isDeep(root: unknown): boolean {
  let level: object[] = isObject(root) ? [root] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEEPEST) return true;
    level = level.flatMap((each) => Object.values(each).filter(isObject));
  }
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
