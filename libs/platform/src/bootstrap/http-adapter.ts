import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { currentContext, newContext, type RequestContext, resume } from '../context/context';
import { childTraceparent } from '../context/traceparent';
import { traceRequest } from '../tracing/request-span';
import { clientAddress } from './client-address';

export interface HttpOptions {
  /** The largest body that is read, in bytes. */
  readonly bodyLimit?: number;
  /** How many proxies of ours a request comes through: so many of the last addresses in `X-Forwarded-For` are believed. */
  readonly trustedProxies?: number;
  /** Whether Node itself refuses requests without a `Host`, without a body. */
  readonly requireHost?: boolean;
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const REQUEST_TIMEOUT_MS = 60_000;
const DEFAULT_BODY_LIMIT = 1_048_576;

/**
 * Fastify for Nest, where each request has an id (the caller's `X-Request-Id` if it is fit to be logged, and in every
 * answer), a context that its log lines carry, and one line when it is done.
 */
export function httpAdapter(logger: Logger, options: HttpOptions = {}): FastifyAdapter {
  const adapter = new FastifyAdapter({
    logger: false,
    bodyLimit: options.bodyLimit ?? DEFAULT_BODY_LIMIT,
    trustProxy: options.trustedProxies ?? 0,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { requireHostHeader: options.requireHost ?? true },
    requestIdHeader: false,
    genReqId: (request: IncomingMessage) => requestIdOf(request.headers['x-request-id']),
  });
  carryContext(adapter.getInstance(), logger);
  return adapter;
}

function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

function carryContext(fastify: FastifyInstance, logger: Logger): void {
  const contexts = new WeakMap<FastifyRequest, RequestContext>();
  fastify.addHook('onRequest', (request, reply, done) => {
    const { traceparent } = request.headers;
    const untraced = newContext({
      requestId: request.id,
      traceparent: childTraceparent(typeof traceparent === 'string' ? traceparent : undefined),
    });
    const context = traceRequest(request, reply, untraced);
    contexts.set(request, context);
    reply.header('x-request-id', request.id);
    resume(context, done);
  });
  // Reading a body loses the context, because its events come from the connection; here it is picked up again.
  fastify.addHook('preValidation', (request, _reply, done) => {
    resume(contexts.get(request) ?? {}, done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    resume(contexts.get(request) ?? {}, () => logRequest(logger, request, reply));
    done();
  });
}

function logRequest(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  // The path alone: a query string may hold what should not be kept.
  const path = request.url.split('?', 1)[0] ?? '';
  const level = path.startsWith('/health/') ? 'debug' : levelOf(reply.statusCode);
  const { subject } = currentContext();
  logger[level](
    {
      method: request.method,
      path,
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      client_address: clientAddress(request),
      ...(subject === undefined ? {} : { subject }),
    },
    'request',
  );
}

/** That something is away is logged where it is noticed; the requests that it turns away are not each an error of this service. */
function levelOf(status: number): 'info' | 'warn' | 'error' {
  if (status < 500) return 'info';
  return status === 503 ? 'warn' : 'error';
}
