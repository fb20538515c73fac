import type { ConsumeMessage, Options } from 'amqplib';
import { capText } from '@reprise/platform';
import { fieldSize, isWhole } from '../publishing/field-size';
import { CE, HEADER } from '../publishing/headers';
import type { RawMessage } from '../publishing/publisher';
import { deadQueueOf, type RetryDelay, retryQueueOf, type TopologyNames } from '../topology/topology';
import type { MessageContext } from './message-context';
import type { DeadReason } from './outcome';

const MAX_STACK_BYTES = 8 * 1024;
const MAX_EXCEPTION_BYTES = 2 * 1024;
/** amqplib encodes all headers into 64 KiB at most, and throws above that. */
const MAX_FOREIGN_HEADER_BYTES = 40 * 1024;
const MAX_NOTE_BYTES = 1024;
const MAX_NAME_BYTES = 64;
/** So many headers that are left out are named. */
const MOST_NAMES = 10;
/** A text that was not UTF-8 has become longer than a property may be. */
const MAX_PROPERTY_BYTES = 255;

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

/** Neither `user-id`, which only its sender may set, nor `expiration`, which would let the copy vanish. What came can be sent, or is cut. */
export function copyOf(received: Options.Publish): Options.Publish {
  const kept = REPUBLISHED.map((name) => [name, sendable(received[name])]).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(kept) as Options.Publish), deliveryMode: 2 };
}

function sendable(value: unknown): string | number | undefined {
  if (typeof value === 'string') return capText(value, MAX_PROPERTY_BYTES);
  return isWhole(value, 2 ** 64) ? value : undefined;
}

function copy({ properties }: ConsumeMessage, context: MessageContext, ours: Record<string, unknown>): Options.Publish {
  return {
    ...copyOf(properties),
    headers: { ...foreign(properties.headers ?? {}), [HEADER.userId]: context.userId ?? '', ...ours },
  };
}

/**
 * The headers that the sender set, as far as there is room for them beside ours and they can be sent at all; those that say what the message is come
 * first. Which are left out is said in one of ours, so that putting a message aside never fails for what is in it.
 */
export function foreign(headers: Record<string, unknown>): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  const leftOut: string[] = [];
  let room = MAX_FOREIGN_HEADER_BYTES;
  for (const [name, value] of byImportance(headers)) {
    if (BROKER_HEADERS.test(name) || name === HEADER.userId || name === HEADER.leftOut) continue;
    const size = fieldSize(name, value);
    if (size !== undefined && size <= room) {
      room -= size;
      kept.push([name, value]);
    } else leftOut.push(`${capText(name, MAX_NAME_BYTES)} (${size === undefined ? 'cannot be sent again' : `${size} bytes`})`);
  }
  const note = noteOf(headers[HEADER.leftOut], leftOut);
  return Object.fromEntries(note === undefined ? kept : [...kept, [HEADER.leftOut, note]]);
}

const IMPORTANT: ReadonlySet<string> = new Set([...Object.values(CE), ...Object.values(HEADER)]);

function byImportance(headers: Record<string, unknown>): [string, unknown][] {
  const all = Object.entries(headers);
  return [...all.filter(([name]) => IMPORTANT.has(name)), ...all.filter(([name]) => !IMPORTANT.has(name))];
}

function noteOf(before: unknown, leftOut: readonly string[]): string | undefined {
  const more = leftOut.length - MOST_NAMES;
  const parts = [
    ...(typeof before === 'string' ? [before] : []),
    ...leftOut.slice(0, MOST_NAMES),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
  return parts.length === 0 ? undefined : capText(parts.join('; '), MAX_NOTE_BYTES);
}
