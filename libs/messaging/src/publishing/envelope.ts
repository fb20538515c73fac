import { randomUUID } from 'node:crypto';
import type { Options } from 'amqplib';
import { Clock, currentContext } from '@reprise/platform';
import type { Catalog, MessageSpec } from '../topology/catalog';
import { CE } from './headers';

/** What a service says to send: the catalogue adds where to, the envelope how. */
export interface OutgoingMessage<T extends object = object> {
  type: string;
  data: T;
  /** Unique for good; a repeated id is the same message to every consumer. A random one by default. */
  id?: string;
  /** What the message is about; messages of one subject are sent in the order in which they were appended, as far as that can be. */
  subject?: string | null;
  orgId?: string | null;
  actor?: string | null;
  /** The id of the command that began it all; the message's own id by default. */
  correlationId?: string | null;
  time?: Date;
  traceparent?: string | null;
}

/** A message ready for the broker, and for the outbox: plain data, its body already in its final bytes. */
export interface PreparedMessage {
  exchange: string;
  routingKey: string;
  body: string;
  properties: Omit<Options.Publish, 'headers'> & { messageId: string; type: string; headers: Record<string, unknown> };
}

/** A message type that no catalogue knows: a mistake in the program. */
export class UnknownMessageTypeError extends Error {
  constructor(type: string) {
    super(`The message type ${type} is not in the catalogue`);
  }
}

/** Puts messages into CloudEvents' binary mode. Every message is made by this one class, so a re-sent one is the same to the byte. */
export class Envelope {
  constructor(
    private readonly catalog: Catalog,
    /** CloudEvents `source`, and AMQP `app-id`. */
    private readonly source: string,
    private readonly clock: Clock = new Clock(),
  ) {}

  /** @throws UnknownMessageTypeError */
  specOf(type: string): MessageSpec {
    const spec = this.catalog.get(type);
    if (!spec) throw new UnknownMessageTypeError(type);
    return spec;
  }

  /** @throws UnknownMessageTypeError */
  prepare(message: OutgoingMessage): PreparedMessage {
    const { exchange, routingKey, type, mandatory = true } = this.specOf(message.type);
    const time = message.time ?? this.clock.now();
    const id = message.id ?? randomUUID();
    const headers: Record<string, unknown> = {
      [CE.specversion]: '1.0',
      [CE.time]: time.toISOString(),
      [CE.source]: this.source,
    };
    if (message.subject) headers[CE.subject] = message.subject;
    if (message.orgId) headers[CE.orgId] = message.orgId;
    if (message.actor) headers[CE.actor] = message.actor;
    const traceparent = message.traceparent ?? currentContext().traceparent;
    if (traceparent) headers[CE.traceparent] = traceparent;
    return {
      exchange,
      routingKey,
      body: JSON.stringify(message.data),
      properties: {
        messageId: id,
        type,
        timestamp: Math.floor(time.getTime() / 1000),
        correlationId: message.correlationId ?? id,
        contentType: 'application/json',
        deliveryMode: 2,
        mandatory,
        appId: this.source,
        headers,
      },
    };
  }
}
