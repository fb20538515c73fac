import type { Context, Tracer } from '@opentelemetry/api';
import type { Traceparent } from '../context/traceparent';
import type { SpanMaker } from './tracer';

type Api = typeof import('@opentelemetry/api');

/**
 * Begins spans by a tracer. A parent is known by its traceparent alone, in this process as between two, so that there is one account of which trace
 * work belongs to: the request context's. OpenTelemetry's own context is not used.
 */
export async function makerOf(tracer: Tracer): Promise<SpanMaker> {
  const api = await import('@opentelemetry/api');
  const { SpanKind } = api;
  const kinds = {
    ...{ server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL },
    ...{ producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER },
  };
  return {
    begin: (name, kind, attributes, parent) => tracer.startSpan(name, { kind: kinds[kind], attributes }, contextOf(api, parent)),
  };
}

function contextOf({ ROOT_CONTEXT, trace }: Api, parent: Traceparent | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, parentId: spanId, flags } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true });
}
