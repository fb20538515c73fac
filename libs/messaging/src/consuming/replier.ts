import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { AmqpConnection } from '../connection/amqp-connection';
import type { ManagedChannel } from '../connection/managed-channel';
import { HEADER } from '../publishing/headers';
import { REPLY_TYPE, type ReplyBody } from '../requesting/reply';
import type { MessageContext } from './message-context';

/**
 * The largest reply in bytes. A broker closes the channel of a larger message than it takes (128 MiB, and 16 MiB since RabbitMQ 4), which would
 * lose all other replies with it; and whoever asks has to hold it in memory.
 */
export const LARGEST_REPLY = 8 * 1024 * 1024;

/**
 * Sends replies: at most once, unconfirmed, since an asker that misses one sends its request again. On a channel of its own, because a broken
 * `reply-to` may cost the channel and must cost nothing else.
 */
export class Replier {
  private readonly logger = new Logger(Replier.name);
  private readonly channel: ManagedChannel;

  constructor(private readonly connection: AmqpConnection) {
    this.channel = connection.channel({ name: 'replies', confirm: false });
  }

  /** Does nothing when no answer is wanted or nobody can be waiting for it any more. */
  reply({ replyTo, correlationId, id, type }: MessageContext, body: ReplyBody): void {
    if (replyTo === undefined) return;
    try {
      this.channel.open?.publish('', replyTo, this.bytesOf(body, type, id), {
        type: REPLY_TYPE,
        messageId: randomUUID(),
        correlationId,
        contentType: 'application/json',
        userId: this.connection.user,
        headers: { [HEADER.requestId]: id },
      });
    } catch (error) {
      this.logger.warn(`A reply to ${id} cannot be sent: ${(error as Error).message}`);
    }
  }

  /** The reply, or one that says that it is too large. */
  private bytesOf(body: ReplyBody, type: string, id: string): Buffer {
    const bytes = Buffer.from(JSON.stringify(body));
    if (bytes.length <= LARGEST_REPLY) return bytes;
    this.logger.error(`The reply to ${type} ${id} has ${bytes.length} bytes and is not sent: ${LARGEST_REPLY} are the most`);
    const message = `The answer has ${bytes.length} bytes, which is more than a reply may have. What a command did stands.`;
    return Buffer.from(JSON.stringify({ status: 'failed', reason: 'reply_too_large', message } satisfies ReplyBody));
  }
}
