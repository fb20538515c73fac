import { QUEUES } from '@reprise/contracts';
import { deadQueueOf, RETRY_DELAYS, retryQueueOf } from '@reprise/messaging/topology';
import type { BrokerAddress } from './address';
import { withChannel } from './channel';

/** Empties the queues of all services, with their retry and dead-letter queues. All must exist. @returns how many messages there were */
export function purgeQueues(address: BrokerAddress): Promise<number> {
  return withChannel(address, async (channel) => {
    let purged = 0;
    for (const { name, kind } of QUEUES) {
      const others = kind === 'work' ? [...RETRY_DELAYS.map(({ label }) => retryQueueOf(name, label)), deadQueueOf(name)] : [];
      for (const queue of [name, ...others]) purged += (await channel.purgeQueue(queue)).messageCount;
    }
    return purged;
  });
}
