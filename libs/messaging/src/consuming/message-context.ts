import { createHash } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { parseTraceparent } from '@reprise/platform';
import { CE, HEADER } from '../publishing/headers';

/** Whose word the header with the first sender's broker user is taken for. */
export type TrustedUsers = ReadonlySet<string>;

/** Everything about a message but its data; a handler gets it by `@Ctx()`. */
export class MessageContext {
  readonly id: string;
  readonly type: string;
  /** When it was made; the epoch where the sender did not say. */
  readonly time: Date;
  readonly source: string | undefined;
  readonly subject: string | undefined;
  readonly orgId: string | undefined;
  readonly actor: string | undefined;
  /** The id of the command that began it all. */
  readonly correlationId: string;
  /** Where the answer goes, if one is wanted. */
  readonly replyTo: string | undefined;
  /** The broker user that sent it, which the broker has checked; undefined where the sender left it out. */
  readonly userId: string | undefined;
  readonly traceparent: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  /** Whether the broker may have delivered this copy before. */
  readonly redelivered: boolean;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly firstFailure: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The queue that it came from; also the name of the consumer in the inbox. */
  readonly queue: string;

  private hash: Buffer | undefined;

  constructor(
    private readonly message: ConsumeMessage,
    queue: string,
    trusted: TrustedUsers,
  ) {
    const { properties, fields } = message;
    const headers: Record<string, unknown> = properties.headers ?? {};
    this.headers = headers;
    this.queue = queue;
    this.id = text(properties.messageId) ?? '';
    this.type = text(properties.type) ?? '';
    this.time = timeOf(headers[CE.time], properties.timestamp);
    this.source = text(headers[CE.source]);
    this.subject = text(headers[CE.subject]);
    this.orgId = text(headers[CE.orgId]);
    this.actor = text(headers[CE.actor]);
    this.correlationId = text(properties.correlationId) ?? this.id;
    this.replyTo = text(properties.replyTo);
    this.userId = senderOf(text(properties.userId), text(headers[HEADER.userId]), trusted);
    const traceparent = text(headers[CE.traceparent]);
    // As the specification has it: one that is malformed is as good as none.
    this.traceparent = parseTraceparent(traceparent) ? traceparent : undefined;
    this.contentType = text(properties.contentType);
    this.contentEncoding = text(properties.contentEncoding);
    this.redelivered = fields.redelivered;
    this.attempt = count(headers[HEADER.attempts]) + 1;
    this.firstFailure = text(headers[HEADER.firstFailure]);
  }

  /** SHA-256 of what makes a message the same message: type, tenant, subject, actor and the body's bytes. */
  get bodyHash(): Buffer {
    this.hash ??= createHash('sha256')
      .update(JSON.stringify([this.type, this.orgId, this.subject, this.actor]))
      .update(this.message.content)
      .digest();
    return this.hash;
  }
}

/** A message that was published again carries its first sender in a header; only a republisher of our own is believed. */
export function senderOf(userId: string | undefined, claimed: string | undefined, trusted: TrustedUsers): string | undefined {
  return claimed !== undefined && userId !== undefined && trusted.has(userId) ? claimed : userId;
}

function timeOf(header: unknown, seconds: unknown): Date {
  const said = [new Date(typeof header === 'string' ? header : NaN), new Date(count(seconds) * 1000)];
  return said.find((time) => !Number.isNaN(time.getTime())) ?? new Date(0);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
