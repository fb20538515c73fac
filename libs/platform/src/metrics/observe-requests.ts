import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { OTHER } from './label-limit';
import { Metrics } from './metrics';
import { HTTP_SERVER_REQUEST_DURATION } from './platform.metrics';

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts and times every request by its route. To be called before the routes are made. */
export function observeRequests(app: NestFastifyApplication): void {
  const durations = app.get(Metrics, { strict: false }).histogram(HTTP_SERVER_REQUEST_DURATION);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      const labels = { method: methodOf(request), route: routeOf(request), status_code: String(reply.statusCode) };
      durations.observe(labels, reply.elapsedTime / 1_000);
      done();
    });
}

/** Anyone may invent a method or a path; neither becomes a label value. */
function methodOf({ method }: FastifyRequest): string {
  return METHODS.has(method) ? method : OTHER;
}

function routeOf({ is404, routeOptions }: FastifyRequest): string {
  return (is404 ? undefined : routeOptions.url) ?? 'unmatched';
}
