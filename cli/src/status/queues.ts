import type { ChannelModel } from 'amqplib';
import { QUEUES } from '@reprise/contracts';
import { deadQueueOf, RETRY_DELAYS, retryQueueOf } from '@reprise/messaging/topology';
import type { BrokerAddress } from '../broker/address';
import { withConnection } from '../broker/channel';

export interface QueueStatus {
  name: string;
  /** False where there is no such queue: its service has never run here. */
  exists: boolean;
  /** Messages that wait to be taken; what a consumer has in hand is not among them. */
  depth: number;
  consumers: number;
  /** Messages that wait for their next attempt. */
  retrying: number;
  dead: number;
}

/**
 * How the queues stand at this moment, asked of the broker itself: the management API's figures are seconds old, and absent for a young queue.
 * @throws Failure where the broker cannot be reached
 */
export function queueStatuses(address: BrokerAddress): Promise<QueueStatus[]> {
  return withConnection(address, (connection) =>
    Promise.all(
      QUEUES.map(async ({ name, kind }) => {
        const queue = await look(connection, name);
        const none = { messageCount: 0, consumerCount: 0 };
        const retries =
          kind === 'work' ? await Promise.all(RETRY_DELAYS.map(({ label }) => look(connection, retryQueueOf(name, label)))) : [];
        const dead = kind === 'work' ? await look(connection, deadQueueOf(name)) : undefined;
        const { messageCount, consumerCount } = queue ?? none;
        return {
          name,
          exists: queue !== undefined,
          depth: messageCount,
          consumers: consumerCount,
          retrying: retries.reduce((sum, retry) => sum + (retry?.messageCount ?? 0), 0),
          dead: dead?.messageCount ?? 0,
        };
      }),
    ),
  );
}

/** A passive declare; the broker closes the channel where there is no such queue, so each has its own. */
async function look(connection: ChannelModel, name: string): Promise<{ messageCount: number; consumerCount: number } | undefined> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  try {
    const found = await channel.checkQueue(name);
    await channel.close();
    return found;
  } catch {
    return undefined;
  }
}
