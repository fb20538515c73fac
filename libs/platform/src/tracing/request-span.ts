import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestContext } from '../context/context';
import { openSpan } from './open-span';

/** Asked for every few seconds by machines, and nobody follows them. */
const UNTRACED = /^\/(health|metrics)(\/|$)/;

/**
 * Begins the span of a request, which ends with its answer, and gives the context in which the request belongs to it; where it is not traced, the
 * context as it was. The span is named by the route's template, never by the path.
 */
export function traceRequest(request: FastifyRequest, reply: FastifyReply, context: RequestContext): RequestContext {
  const { url: route } = request.routeOptions;
  if (route !== undefined && UNTRACED.test(route)) return context;
  const { traceparent } = request.headers;
  const work = { ...context };
  const span = openSpan(
    route === undefined ? request.method : `${request.method} ${route}`,
    {
      kind: 'server',
      parent: typeof traceparent === 'string' ? traceparent : null,
      attributes: {
        'http.request.method': request.method,
        'url.scheme': request.protocol,
        // A path that is no route's may hold anything.
        ...(route === undefined ? {} : { 'http.route': route, 'url.path': request.url.split('?', 1)[0] ?? '' }),
      },
    },
    work,
  );
  if (span === undefined) return context;
  // Comes always, also where the caller has gone before the answer.
  reply.raw.once('close', () => {
    span.set({ 'http.response.status_code': reply.statusCode });
    if (reply.statusCode >= 500) span.fail(String(reply.statusCode));
    if (!reply.raw.writableFinished) span.set({ 'reprise.request.abandoned': true });
    span.end();
  });
  return Object.assign(work, { traceparent: span.traceparent, traceId: span.traceId });
}
