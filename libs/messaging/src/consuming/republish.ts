import type { ConsumeMessage, Options } from 'amqplib';
import { capText } from '@reprise/platform';
import { HEADER } from '../publishing/headers';
import type { RawMessage } from '../publishing/publisher';
import { deadQueueOf, type RetryDelay, retryQueueOf, type TopologyNames } from '../topology/topology';
import type { MessageContext } from './message-context';
import type { DeadReason } from './outcome';

const MAX_STACK_BYTES = 8 * 1024;
const MAX_EXCEPTION_BYTES = 2 * 1024;
/** amqplib encodes all headers into 64 KiB at most, and throws above that. */
const MAX_FOREIGN_HEADER_BYTES = 40 * 1024;

/** The broker's own account of a message; a copy that a client sends says nothing (RabbitMQ 4 ignores it). */
const BROKER_HEADERS = /^(x-death|x-first-death-|x-last-death-|x-delivery-count|x-acquired-count|CC$|BCC$)/;

/** The message as it goes to the retry queue of the delay that its next attempt must wait; undefined when all attempts are used up. */
export function toRetry(
  message: ConsumeMessage,
  context: MessageContext,
  names: TopologyNames,
  delays: readonly RetryDelay[],
  now: Date,
): RawMessage | undefined {
  const delay = delays[context.attempt - 1];
  if (!delay) return undefined;
  const headers = {
    [HEADER.attempts]: context.attempt,
    [HEADER.firstFailure]: context.firstFailure ?? now.toISOString(),
    [HEADER.lastFailure]: now.toISOString(),
  };
  return {
    exchange: names.retry,
    routingKey: retryQueueOf(context.queue, delay.label),
    body: message.content,
    properties: copy(message, context, headers),
  };
}

/** The message as it goes to the shortest retry queue, with as many attempts behind it as before. */
export function toWait(
  message: ConsumeMessage,
  context: MessageContext,
  names: TopologyNames,
  [delay]: readonly RetryDelay[],
): RawMessage | undefined {
  if (!delay) return undefined;
  const { attempt, firstFailure } = context;
  const headers = { [HEADER.attempts]: attempt - 1, ...(firstFailure === undefined ? {} : { [HEADER.firstFailure]: firstFailure }) };
  return {
    exchange: names.retry,
    routingKey: retryQueueOf(context.queue, delay.label),
    body: message.content,
    properties: copy(message, context, headers),
  };
}

/** The message as it goes to the dead letters: bytes and properties as received, with the story of its death in headers. */
export function toDead(
  message: ConsumeMessage,
  context: MessageContext,
  names: TopologyNames,
  reason: DeadReason,
  error: Error,
  now: Date,
): RawMessage {
  const headers = {
    [HEADER.deadReason]: reason,
    [HEADER.exception]: capText(`${error.name}: ${error.message}`, MAX_EXCEPTION_BYTES),
    [HEADER.stack]: capText(error.stack ?? '', MAX_STACK_BYTES),
    [HEADER.sourceQueue]: context.queue,
    [HEADER.attempts]: context.attempt,
    [HEADER.firstFailure]: context.firstFailure ?? now.toISOString(),
    [HEADER.lastFailure]: now.toISOString(),
  };
  return { exchange: names.dead, routingKey: context.queue, body: message.content, properties: copy(message, context, headers) };
}

/** For the log. */
export const deadLettersOf = (context: MessageContext): string => deadQueueOf(context.queue);

const REPUBLISHED = [
  ...(['contentType', 'contentEncoding', 'priority', 'correlationId', 'replyTo'] as const),
  ...(['messageId', 'timestamp', 'type', 'appId'] as const),
];

/** Neither `user-id`, which only its sender may set, nor `expiration`, which would let the copy vanish. */
export function copyOf(received: Options.Publish): Options.Publish {
  const kept = REPUBLISHED.filter((name) => received[name] !== undefined).map((name) => [name, received[name]]);
  return { ...(Object.fromEntries(kept) as Options.Publish), deliveryMode: 2 };
}

function copy({ properties }: ConsumeMessage, context: MessageContext, ours: Record<string, unknown>): Options.Publish {
  return {
    ...copyOf(properties),
    headers: { ...foreign(properties.headers ?? {}), [HEADER.userId]: context.userId ?? '', ...ours },
  };
}

/** The headers that the sender set, as far as there is room for them beside ours. */
export function foreign(headers: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  let room = MAX_FOREIGN_HEADER_BYTES;
  for (const [key, value] of Object.entries(headers)) {
    if (BROKER_HEADERS.test(key) || key === HEADER.userId) continue;
    const size = Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(value) ?? '');
    if (size > room) continue;
    room -= size;
    kept[key] = value;
  }
  return kept;
}
