import type { AmqpConnection } from '../connection/amqp-connection';
import type { ManagedChannel } from '../connection/managed-channel';

export interface QueueDepth {
  queue: string;
  messages: number;
  consumers: number;
}

const CHANNEL_WITHIN_MS = 1_000;

/** Asks the broker how full queues are (a passive declare, which needs no permission), on a channel of its own that is made at the first question. */
export class QueueDepths {
  private channel: ManagedChannel | undefined;

  constructor(
    private readonly connection: AmqpConnection,
    private readonly queues: readonly string[],
  ) {}

  /** Of those that there are: one that has gone costs the channel, and is left out. @throws Error while there is no broker */
  async read(): Promise<QueueDepth[]> {
    if (this.queues.length === 0) return [];
    this.channel ??= this.connection.channel({ name: 'queue depths', confirm: false });
    const depths: QueueDepth[] = [];
    for (const queue of this.queues) {
      const channel = await this.channel.whenOpen(CHANNEL_WITHIN_MS);
      const found = await channel.checkQueue(queue).catch(() => undefined);
      if (found) depths.push({ queue, messages: found.messageCount, consumers: found.consumerCount });
    }
    return depths;
  }
}
