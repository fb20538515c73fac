import { createHash } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { parseTraceparent } from '@reprise/platform';
import { CE, HEADER } from '../publishing/headers';

/** Whose word the header with the first sender's broker user is taken for. */
export type TrustedUsers = ReadonlySet<string>;

/** Whether a reply to this sender may go to this queue. */
export type MayReplyTo = (sender: string | undefined, queue: string) => boolean;

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
  /** Where the answer goes; undefined where none is wanted, or where it may not go there. */
  readonly replyTo: string | undefined;
  /** Where the sender wants the answer, but may not have it. */
  readonly refusedReplyTo: string | undefined;
  /** The broker user that sent it first, which the broker has checked; undefined where the sender left it out. */
  readonly userId: string | undefined;
  /** Whether this copy was published by ourselves or by a service that we trust to tell who sent it first: a retry, or a replay. */
  readonly republished: boolean;
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
    mayReplyTo: MayReplyTo = () => true,
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
    const publishedBy = text(properties.userId);
    this.userId = senderOf(publishedBy, headers[HEADER.userId], trusted);
    this.republished = publishedBy !== undefined && trusted.has(publishedBy);
    const replyTo = text(properties.replyTo);
    const mayReply = replyTo !== undefined && mayReplyTo(this.userId, replyTo);
    this.replyTo = mayReply ? replyTo : undefined;
    this.refusedReplyTo = mayReply ? undefined : replyTo;
    const traceparent = text(headers[CE.traceparent]);
    // As the specification has it: one that is malformed is as good as none.
    this.traceparent = parseTraceparent(traceparent) ? traceparent : undefined;
    this.contentType = text(properties.contentType);
    this.contentEncoding = text(properties.contentEncoding);
    this.redelivered = fields.redelivered;
    // What happened to a message on its way only a republisher knows.
    this.attempt = (this.republished ? count(headers[HEADER.attempts]) : 0) + 1;
    this.firstFailure = this.republished ? text(headers[HEADER.firstFailure]) : undefined;
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

/**
 * A message that was published again carries its first sender in a header, which is empty where nobody is known; only a republisher of our own is
 * believed.
 */
export function senderOf(userId: string | undefined, claimed: unknown, trusted: TrustedUsers): string | undefined {
  if (userId === undefined || typeof claimed !== 'string' || !trusted.has(userId)) return userId;
  return claimed === '' ? undefined : claimed;
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
