import { AsyncLocalStorage } from 'node:async_hooks';
import { parseTraceparent } from './traceparent';

/** What the work in hand belongs to. The logger writes it on every line. */
export interface RequestContext {
  readonly requestId?: string | undefined;
  /** W3C trace context, to be sent on with everything that this work sends. */
  readonly traceparent?: string | undefined;
  readonly traceId?: string | undefined;
  readonly orgId?: string | undefined;
  /** The caller, as his token names him; written on the line of the request alone. */
  readonly subject?: string | undefined;
  readonly workspaceId?: string | undefined;
  readonly operationId?: string | undefined;
}

/** The span that the work in hand is part of, where it is traced. */
export interface SpanInHand {
  readonly traceId: string;
  readonly traceparent: string;
  /** Writes on the span what has become known. */
  set(attributes: Readonly<Record<string, string | number | boolean | undefined>>): void;
  /** Marks the span as failed; `type` is one of few words, never a text with values in it. */
  fail(type: string): void;
}

interface Scope {
  /** What is added here is seen by all of the work, whatever span it is in. */
  readonly work: RequestContext;
  readonly span?: SpanInHand;
}

const NOTHING: RequestContext = Object.freeze({});
const storage = new AsyncLocalStorage<Scope>();

/**
 * Runs `fn`, and all that it starts, within exactly this context. Nothing is inherited from the context around it,
 * because a consumer's callback may run inside whatever opened its connection. The trace id is taken from the
 * traceparent where it is not given.
 */
export function runWith<T>(context: RequestContext, fn: () => T): T {
  return resume(newContext(context), fn);
}

/** A context that can be left and resumed, for work that comes in several callbacks; for this library alone. */
export function newContext(context: RequestContext): RequestContext {
  return { ...context, traceId: context.traceId ?? parseTraceparent(context.traceparent)?.traceId };
}

/** Runs `fn` within this very context object, additions included. */
export function resume<T>(context: RequestContext, fn: () => T): T {
  return storage.run({ work: context }, fn);
}

/** Runs `fn` as a part of the work in hand that has a span of its own: what it sends and logs belongs to that span. For this library alone. */
export function underSpan<T>(span: SpanInHand, fn: () => T): T {
  return storage.run({ work: storage.getStore()?.work ?? {}, span }, fn);
}

/** The innermost span of the work in hand; undefined where it is not traced. */
export function spanInHand(): SpanInHand | undefined {
  return storage.getStore()?.span;
}

/** The context of the work in hand; empty outside of any. Where there is a span, its ids are the context's: there is no second account of the trace. */
export function currentContext(): RequestContext {
  const scope = storage.getStore();
  if (scope === undefined) return NOTHING;
  const { work, span } = scope;
  return span === undefined ? work : { ...work, traceparent: span.traceparent, traceId: span.traceId };
}

/** The very object that additions go to, for whoever needs to read it when the work is over. For this library alone. */
export function workInHand(): RequestContext {
  return storage.getStore()?.work ?? NOTHING;
}

/**
 * Adds what has become known (the operation just accepted, say) to the context in hand, for the rest of its work.
 * Outside of any context it does nothing.
 */
export function addToContext(more: RequestContext): void {
  const scope = storage.getStore();
  if (scope !== undefined) Object.assign(scope.work, more);
}
