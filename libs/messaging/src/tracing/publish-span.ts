import { inSpan, currentContext } from '@reprise/platform';
import { CE, HEADER } from '../publishing/headers';
import type { RawMessage } from '../publishing/publisher';

type Send = (message: RawMessage) => Promise<void>;

/**
 * Sends the message within a span, and in the message goes that span, for whoever consumes it. A message of the outbox has until then carried the
 * span of the transaction that appended it, which is what this span is part of, whoever publishes it and however late.
 *
 * A copy (a retry, a dead letter, a replay) keeps what it carried first, so every attempt at a message hangs on the same span. Its own publishing
 * is part of the attempt that failed.
 */
export function inPublishSpan(message: RawMessage, send: Send): Promise<void> {
  const headers = (message.properties.headers ?? {}) as Record<string, unknown>;
  const carried = text(headers[CE.traceparent]);
  const isCopy = COPY.some((name) => name in headers);
  const parent = isCopy ? (currentContext().traceparent ?? carried) : carried;
  return inSpan(`publish ${message.routingKey}`, { kind: 'producer', parent: parent ?? null, attributes: attributesOf(message) }, () => {
    const { traceparent } = currentContext();
    return send(isCopy || traceparent === undefined || traceparent === carried ? message : carrying(message, traceparent));
  });
}

const COPY = [HEADER.attempts, HEADER.deadReason, HEADER.replays];

function carrying(message: RawMessage, traceparent: string): RawMessage {
  const { properties } = message;
  const headers = properties.headers as Record<string, unknown> | undefined;
  return { ...message, properties: { ...properties, headers: { ...headers, [CE.traceparent]: traceparent } } };
}

function attributesOf({ exchange, routingKey, body, properties }: RawMessage) {
  const headers = (properties.headers ?? {}) as Record<string, unknown>;
  return {
    'messaging.system': 'rabbitmq',
    'messaging.operation.type': 'send',
    'messaging.operation.name': 'publish',
    'messaging.destination.name': exchange === '' ? routingKey : `${exchange}:${routingKey}`,
    'messaging.rabbitmq.destination.routing_key': routingKey,
    'messaging.message.id': properties.messageId,
    'messaging.message.conversation_id': properties.correlationId,
    'messaging.message.body.size': Buffer.byteLength(body),
    'reprise.org.id': text(headers[CE.orgId]),
    'reprise.workspace.id': text(headers[CE.subject]),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
