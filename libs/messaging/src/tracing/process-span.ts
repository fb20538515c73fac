import { annotateSpan, errorType, failSpan, inSpan } from '@reprise/platform';
import type { MessageContext } from '../consuming/message-context';
import type { Outcome } from '../consuming/outcome';
import { HEADER } from '../publishing/headers';

/**
 * Handles a message within a span that is part of the span which the message carries: one trace from who sent it to who handles it. Each attempt has
 * a span of its own, beside the others, and says which it is.
 */
export function inProcessSpan<T>(context: MessageContext, work: () => Promise<T>): Promise<T> {
  const attributes = {
    'messaging.system': 'rabbitmq',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.destination.name': context.queue,
    'messaging.message.id': context.id,
    'messaging.message.conversation_id': context.correlationId,
    'reprise.message.type': context.type,
    'reprise.message.attempt': context.attempt,
    'reprise.message.redelivered': context.redelivered,
    ...replaysOf(context),
  };
  return inSpan(`process ${context.queue}`, { kind: 'consumer', parent: context.traceparent ?? null, attributes }, work);
}

/** How the attempt ended. A refusal is an answer; what is tried again or given up is a failure, though nothing was thrown. */
export function tellOutcome(outcome: Outcome): void {
  annotateSpan({ 'reprise.message.outcome': outcome.end });
  if (outcome.end === 'refused') annotateSpan({ 'reprise.refusal.code': outcome.refusal.code });
  if (outcome.end === 'retry') failSpan(errorType(outcome.error));
  if (outcome.end === 'dead') failSpan(outcome.reason);
}

function replaysOf({ headers }: MessageContext): Record<string, number> {
  const replays = headers[HEADER.replays];
  return typeof replays === 'number' ? { 'reprise.message.replays': replays } : {};
}
