import type { ConfirmChannel, ConsumeMessage, Message } from 'amqplib';
import { Logger } from '@nestjs/common';
import type { Refusal } from '../consuming/outcome';
import type { AmqpConnection } from '../connection/amqp-connection';
import type { ManagedChannel } from '../connection/managed-channel';
import type { MessagingMetrics } from '../metrics/messaging-metrics';
import type { Envelope, OutgoingMessage, PreparedMessage } from '../publishing/envelope';
import { HEADER } from '../publishing/headers';
import { inAskSpan } from '../tracing/ask-span';
import { parseReply, type ReplyBody } from './reply';

/** The answer to a request: what the handler returned, or why it refused. */
export type Reply<T = unknown> = { status: 'done'; value: T } | { status: 'refused'; refusal: Refusal };

/** No answer came in time. The request may have been, or may yet be, carried out. */
export class RequestTimeoutError extends Error {}

/** Nobody can answer: no queue takes the query, or this process is closing. */
export class RequestUnavailableError extends Error {}

/** The other side says that this message will not be answered: dead, with this reason, or (a query) not answerable just now. */
export class RequestFailedError extends Error {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

export interface RequestOptions {
  /** How long to wait for the answer. */
  deadlineMs: number;
  /** How long to wait before the same message is sent again, and again; default: never. */
  resendEveryMs?: number;
}

interface Pending {
  message: PreparedMessage;
  isQuery: boolean;
  deadline: number;
  promise: Promise<Reply>;
  settle: (result: Reply | Error) => void;
}

/**
 * Asks and waits for the answer, by RabbitMQ's direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to). Such a reply is at most once,
 * so a request is sent again under the same message id until it is answered or out of time, and at once when the channel has come back; the
 * other side's inbox makes that one effect and the same answer. Late replies are dropped.
 */
export class Requester {
  private readonly logger = new Logger(Requester.name);
  private readonly channel: ManagedChannel;
  private readonly pending = new Map<string, Pending>();
  private closed = false;

  constructor(
    private readonly connection: AmqpConnection,
    private readonly envelope: Envelope,
    private readonly metrics?: MessagingMetrics,
    /** Who answers each type; undefined: anyone may. */
    private readonly answerers?: ReadonlyMap<string, string> | null,
  ) {
    this.channel = connection.channel({ name: 'requests', confirm: false, setup: (channel) => this.setUp(channel) });
  }

  /**
   * Sends the message until it is answered. A second call with the id of a request that is still open waits for the same answer.
   * @throws RequestTimeoutError, RequestUnavailableError (queries only, and at the end), RequestFailedError, UnknownMessageTypeError
   */
  request<T = unknown>(message: OutgoingMessage, { deadlineMs, resendEveryMs }: RequestOptions): Promise<Reply<T>> {
    if (this.closed) return Promise.reject(new RequestUnavailableError('The service is closing'));
    const open = message.id === undefined ? undefined : this.pending.get(message.id);
    if (open) return open.promise as Promise<Reply<T>>;

    return inAskSpan(message, () => {
      const request = this.open(message, deadlineMs, resendEveryMs);
      this.metrics?.requested(message.type, request.promise);
      this.send(request);
      return request.promise;
    }) as Promise<Reply<T>>;
  }

  /** Gives up every open request with `RequestUnavailableError`. */
  close(): void {
    this.closed = true;
    for (const { settle } of [...this.pending.values()]) settle(new RequestUnavailableError('The service is closing'));
  }

  private open(message: OutgoingMessage, deadlineMs: number, resendEveryMs: number | undefined): Pending {
    const isQuery = this.envelope.specOf(message.type).kind === 'query';
    const prepared = this.envelope.prepare(message);
    const id = prepared.properties.messageId;
    const { promise, resolve, reject } = withResolvers<Reply>();
    const timeout = setTimeout(
      () => settle(new RequestTimeoutError(`No answer to ${message.type} ${id} within ${deadlineMs} ms`)),
      deadlineMs,
    );
    const resend = resendEveryMs === undefined ? undefined : setInterval(() => this.send(request), resendEveryMs);
    const settle = (result: Reply | Error): void => {
      if (!this.pending.delete(id)) return;
      clearTimeout(timeout);
      clearInterval(resend);
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const request: Pending = { message: prepared, isQuery, deadline: Date.now() + deadlineMs, promise, settle };
    this.pending.set(id, request);
    return request;
  }

  private send({ message, isQuery, deadline }: Pending): void {
    const channel = this.channel.open;
    // Without a channel, or with a broker that reads nothing: sent when the channel is back, or by the next re-send.
    if (!channel || !this.connection.isReady()) return;
    const { exchange, routingKey, body, properties } = message;
    const left = Math.max(1, deadline - Date.now());
    try {
      channel.publish(exchange, routingKey, Buffer.from(body), {
        ...properties,
        // A query that nobody waits for any more need not be answered; a command must be carried out all the same. The broker counts the
        // time that is left, so no two clocks have to agree.
        ...(isQuery ? { deliveryMode: 1, expiration: left } : {}),
        replyTo: DIRECT_REPLY_TO,
        userId: this.connection.user,
        mandatory: true,
      });
    } catch {
      // The channel has just closed; the next one sends everything that is open.
    }
  }

  private async setUp(channel: ConfirmChannel): Promise<void> {
    channel.on('return', (message: Message) => this.onReturn(message));
    // Replies come only to the channel that asked, and only while it consumes the pseudo-queue without acknowledgements.
    await channel.consume(DIRECT_REPLY_TO, (message) => this.onReply(channel, message), { noAck: true });
    setImmediate(() => {
      for (const request of this.pending.values()) this.send(request);
    });
  }

  private onReply(channel: ConfirmChannel, message: ConsumeMessage | null): void {
    if (message === null) return void channel.close().catch(() => undefined);
    const { headers, correlationId } = message.properties as { headers?: Record<string, unknown>; correlationId?: string };
    // The correlation id may be an older command's, and then is not this request's alone.
    const id = headers?.[HEADER.requestId] ?? correlationId;
    const request = typeof id === 'string' ? this.pending.get(id) : undefined;
    if (!request) return;
    const answerer = this.answerers?.get(request.message.properties.type);
    const sender: unknown = message.properties.userId;
    if (answerer !== undefined && sender !== answerer) {
      return this.logger.warn(
        `A reply to ${request.message.properties.type} ${request.message.properties.messageId} is from ${String(sender)} and not from ${answerer}`,
      );
    }
    const reply = parseReply(message.content);
    if (reply) request.settle(toResult(reply));
  }

  private onReturn({ fields, properties }: Message): void {
    const request = this.pending.get(String(properties.messageId));
    // The queue of a command is durable: that it is missing is an accident, mended by its consumer within the deadline.
    if (request?.isQuery) request.settle(new RequestUnavailableError(`No queue takes ${fields.routingKey}`));
  }
}

const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';

function toResult(reply: ReplyBody): Reply | Error {
  switch (reply.status) {
    case 'done':
      return { status: 'done', value: reply.value };
    case 'refused':
      return { status: 'refused', refusal: reply.refusal };
    case 'failed':
      return new RequestFailedError(reply.reason, reply.message);
  }
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
