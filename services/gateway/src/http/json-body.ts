import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { JsonError, parseJson } from '@reprise/platform';
import type { FastifyRequest } from 'fastify';
import { invalid } from '../errors/api-error';

/** The largest body of the public API in bytes, where a route does not say more. */
export const BODY_LIMIT = 1_048_576;

type Done = (error: Error | null, body?: unknown) => void;

/** Reads JSON and nothing else; an empty body is no body. */
export function readJsonBodies(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeContentTypeParser('text/plain');
  app.useBodyParser('application/json', { bodyLimit: BODY_LIMIT }, (_request: FastifyRequest, body: Buffer, done: Done) => {
    try {
      done(null, isBlank(body) ? undefined : parseJson(body));
    } catch (error) {
      done(error instanceof JsonError ? invalid({ body: error.message }) : (error as Error));
    }
  });
}

const LONGEST_BLANK = 1_024;
const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

function isBlank(body: Buffer): boolean {
  // A long one is not worth the look: the parser says what it is.
  return body.length <= LONGEST_BLANK && body.every((byte) => WHITE_SPACE.has(byte));
}
