import type { ConsumeMessage, Options } from 'amqplib';
import { capText } from '@reprise/platform';
import { CE, HEADER } from '../publishing/headers';
import type { RawMessage } from '../publishing/publisher';
import type { TopologyNames } from '../topology/topology';
import { senderOf, type TrustedUsers } from './message-context';
import { copyOf, foreign } from './republish';

/** What a dead-letter queue gives: a message as it was received, which may be anything at all, and the story of its death. */
export interface Death {
  /** The queue that failed. */
  queue: string;
  messageId: string | undefined;
  type: string | undefined;
  orgId: string | undefined;
  subject: string | undefined;
  actor: string | undefined;
  /** The broker user that sent it first. */
  userId: string | undefined;
  reason: string;
  exception: string | undefined;
  stack: string | undefined;
  attempts: number;
  firstFailure: Date | undefined;
  lastFailure: Date | undefined;
  headers: Record<string, unknown>;
  properties: Options.Publish;
  body: Buffer;
}

/** What is longer is none of a message that we took; the whole of it stands in the headers. */
const LONGEST_TEXT_BYTES = 1024;
const LONGEST_EXCEPTION_BYTES = 2 * 1024;
const LONGEST_STACK_BYTES = 8 * 1024;

/** amqplib types properties as `any`; this is how they come. */
type Received = Omit<Options.Publish, 'headers'> & { headers?: Record<string, unknown> };

/**
 * Reads a message from the dead-letter queue of `queue`. Never throws: what is missing or of the wrong kind is undefined.
 * @param trusted whose word is taken for who sent it first: the users that put messages into this very queue
 */
export function deathOf(message: ConsumeMessage, queue: string, trusted: TrustedUsers): Death {
  const { headers = {}, ...properties } = message.properties as Received;
  const native = nativeDeath(headers['x-death'], queue);
  return {
    queue,
    messageId: text(properties.messageId),
    type: text(properties.type),
    orgId: text(headers[CE.orgId]),
    subject: text(headers[CE.subject]),
    actor: text(headers[CE.actor]),
    userId: senderOf(text(properties.userId), headers[HEADER.userId], trusted),
    reason: native?.reason ?? text(headers[HEADER.deadReason]) ?? 'unknown',
    exception: native ? undefined : text(headers[HEADER.exception], LONGEST_EXCEPTION_BYTES),
    stack: native ? undefined : text(headers[HEADER.stack], LONGEST_STACK_BYTES),
    attempts: count(headers[HEADER.attempts]),
    firstFailure: time(headers[HEADER.firstFailure]) ?? native?.time,
    lastFailure: native ? native.time : time(headers[HEADER.lastFailure]),
    headers,
    properties: Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)),
    body: message.content,
  };
}

/** What a dead letter needs to go back to the queue that failed. */
export interface Replay extends Pick<Death, 'queue' | 'headers' | 'properties' | 'body'> {
  /** The broker user that sent it first, whose rights it has; undefined where nobody is known. */
  userId: string | undefined;
  /** How often it has been replayed, this time included. */
  replays: number;
}

/**
 * The message as it goes back: to its queue alone, not to whoever else had it, with its id, its bytes and its sender's headers; the story of its
 * death is left behind, so it has all its attempts again. It loses its `reply-to`: nobody waits any more, so the outcome is told by events.
 */
export function toReplay({ queue, headers, properties, body, userId, replays }: Replay, names: TopologyNames): RawMessage {
  const { replyTo: _, ...kept } = copyOf(properties);
  const living = Object.fromEntries(Object.entries(foreign(headers)).filter(([name]) => !STORY.has(name)));
  return {
    exchange: names.retry,
    routingKey: queue,
    body,
    properties: { ...kept, headers: { ...living, [HEADER.userId]: userId ?? '', [HEADER.replays]: replays } },
  };
}

const STORY: ReadonlySet<string> = new Set([
  HEADER.attempts,
  HEADER.firstFailure,
  HEADER.lastFailure,
  HEADER.deadReason,
  HEADER.exception,
  HEADER.stack,
  HEADER.sourceQueue,
  HEADER.replays,
]);

interface NativeDeath {
  reason: string;
  time: Date | undefined;
}

/** The broker's own account of a message that it took out of the queue itself: after too many deliveries without an answer, say. */
function nativeDeath(deaths: unknown, queue: string): NativeDeath | undefined {
  if (!Array.isArray(deaths)) return undefined;
  const entry = (deaths as unknown[]).find((each): each is Record<string, unknown> => isObject(each) && each.queue === queue);
  if (!entry) return undefined;
  const { value } = isObject(entry.time) ? entry.time : { value: undefined };
  return { reason: text(entry.reason) ?? 'unknown', time: typeof value === 'number' ? new Date(value * 1000) : undefined };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown, bytes = LONGEST_TEXT_BYTES): string | undefined {
  return typeof value === 'string' && value !== '' ? capText(value, bytes) : undefined;
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? Math.min(value, 1_000_000) : 0;
}

function time(value: unknown): Date | undefined {
  const parsed = typeof value === 'string' ? new Date(value) : undefined;
  // Years that no database column takes are as good as none.
  return parsed && Math.abs(parsed.getTime()) < 8e13 ? parsed : undefined;
}
