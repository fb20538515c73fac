import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { AmqpConnection } from '../connection/amqp-connection';
import type { ManagedChannel } from '../connection/managed-channel';
import { HEADER } from '../publishing/headers';
import { REPLY_TYPE, type ReplyBody } from '../requesting/reply';
import type { MessageContext } from './message-context';

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
  reply({ replyTo, correlationId, id }: MessageContext, body: ReplyBody): void {
    if (replyTo === undefined) return;
    try {
      this.channel.open?.publish('', replyTo, Buffer.from(JSON.stringify(body)), {
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
}
