import { BROKER_USERS, EXCHANGE, EXCHANGES, QUEUES } from '@reprise/contracts';
import { assertExchanges, assertQueue } from '@reprise/messaging/topology';
import type { Environment } from '../environment';
import { Failure, reasonOf } from '../failure';
import { type BrokerAddress, brokerAddress } from './address';
import { withChannel } from './channel';
import { passwordVariable, readDefinitions } from './definitions';
import { Management } from './management';

/** `shared`: there is no management API to make users with, so every service connects with `AMQP_URL`. */
export type Separation = 'per-service' | 'shared';

/**
 * Makes the virtual host, the users with their permissions, the exchanges and the queues; what is there already stays, but for the
 * passwords, which are set.
 * @throws Failure
 */
export async function setUpBroker(
  environment: Environment,
  tell: (progress: string) => void,
): Promise<BrokerAddress & { amqp: Separation }> {
  const address = brokerAddress(environment);
  const management = environment.get('RABBITMQ_MANAGEMENT_URL');
  if (management) {
    tell(`broker: virtual host ${address.vhost}, ${BROKER_USERS.length} users and their permissions`);
    await importInto(new Management(management), address, environment);
  }
  tell(`broker: exchanges and queues in virtual host ${address.vhost}`);
  await makeTopology(address);
  return { ...address, amqp: management ? 'per-service' : 'shared' };
}

async function importInto(management: Management, { vhost, user }: BrokerAddress, environment: Environment): Promise<void> {
  const passwordOf = (name: string): string => environment.need(passwordVariable(name), `the password of the broker user ${name}`);
  await management.importDefinitions(readDefinitions(vhost, passwordOf));
  // Being an administrator is not yet a right to declare anything in a new virtual host.
  await management.grantAll(vhost, user);
}

async function makeTopology(address: BrokerAddress): Promise<void> {
  await withChannel(address, async (channel) => {
    await assertExchanges(channel, EXCHANGES);
    for (const queue of QUEUES) await assertQueue(channel, queue, { names: EXCHANGE });
  }).catch((error: unknown) => {
    throw error instanceof Failure ? error : new Failure(`the broker's queues cannot be made: ${reasonOf(error)}`);
  });
}
