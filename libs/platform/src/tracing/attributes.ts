import type { Attributes } from '@opentelemetry/api';
import type { RequestContext } from '../context/context';

/** What a span says of the work that it belongs to; the same that the log lines say. */
export function attributesOf({ requestId, orgId, workspaceId, operationId }: RequestContext): Attributes {
  return {
    ...(requestId === undefined ? {} : { 'reprise.request.id': requestId }),
    ...(orgId === undefined ? {} : { 'reprise.org.id': orgId }),
    ...(workspaceId === undefined ? {} : { 'reprise.workspace.id': workspaceId }),
    ...(operationId === undefined ? {} : { 'reprise.operation.id': operationId }),
  };
}

/** One of few words for what was thrown: its code where it has one, else its class. Never its message. */
export function errorType(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  for (const word of [code, reason]) if (typeof word === 'string' && WORD.test(word)) return word;
  return error.constructor.name;
}

const WORD = /^[\w.-]{1,64}$/;
