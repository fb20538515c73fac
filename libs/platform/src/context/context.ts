import { AsyncLocalStorage } from 'node:async_hooks';
import { parseTraceparent } from './traceparent';

/** What the work in hand belongs to. The logger writes it on every line. */
export interface RequestContext {
  readonly requestId?: string | undefined;
  /** W3C trace context, to be sent on with everything that this work sends. */
  readonly traceparent?: string | undefined;
  readonly traceId?: string | undefined;
  readonly orgId?: string | undefined;
  readonly workspaceId?: string | undefined;
  readonly operationId?: string | undefined;
}

const NOTHING: RequestContext = Object.freeze({});
const storage = new AsyncLocalStorage<RequestContext>();

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
  return storage.run(context, fn);
}

/** The context of the work in hand; empty outside of any. */
export function currentContext(): RequestContext {
  return storage.getStore() ?? NOTHING;
}

/**
 * Adds what has become known (the operation just accepted, say) to the context in hand, for the rest of its work.
 * Outside of any context it does nothing.
 */
export function addToContext(more: RequestContext): void {
  const current = storage.getStore();
  if (current !== undefined) Object.assign(current, more);
}
