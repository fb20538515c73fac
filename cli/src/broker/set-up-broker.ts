import { BROKER_USERS, EXCHANGE, EXCHANGES, QUEUES } from '@reprise/contracts';
import { assertExchanges, assertQueue, type ExchangeSpec, isStillTransient, type QueueSpec } from '@reprise/messaging/topology';
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
  await makeExchanges(address, EXCHANGES).catch(async (error: unknown) => {
    if (!isOtherType(error)) throw brokerFailure(error);
    for (const exchange of EXCHANGES) await makeAnew(address, exchange);
  });
  await makeQueues(address, QUEUES).catch(async (error: unknown) => {
    if (!isStillTransient(error)) throw brokerFailure(error);
    for (const queue of QUEUES) await makeOrLeave(address, queue);
  });
}

/** Makes a queue, and leaves it as it is where an older version made it transient and its replicas may still consume from it. */
async function makeOrLeave(address: BrokerAddress, queue: QueueSpec): Promise<void> {
  await makeQueues(address, [queue])
    .catch((error: unknown) => {
      if (!isStillTransient(error)) throw error;
      return makeQueues(address, [queue], { transientQueries: true });
    })
    .catch((error: unknown) => {
      throw brokerFailure(error);
    });
}

function makeQueues(address: BrokerAddress, queues: readonly QueueSpec[], { transientQueries = false } = {}): Promise<void> {
  return withChannel(address, async (channel) => {
    for (const queue of queues) await assertQueue(channel, queue, { names: EXCHANGE, transientQueries });
  });
}

/**
 * Makes an exchange, and makes it anew where an older version gave it another type. Its bindings go with it and are made again with the queues; until
 * then nothing is lost: what is published to it is not confirmed, and what the broker moves itself it moves at least once.
 */
async function makeAnew(address: BrokerAddress, exchange: ExchangeSpec): Promise<void> {
  try {
    await makeExchanges(address, [exchange]).catch(async (error: unknown) => {
      if (!isOtherType(error)) throw error;
      await withChannel(address, (channel) => channel.deleteExchange(exchange.name));
      await makeExchanges(address, [exchange]);
    });
  } catch (error) {
    throw brokerFailure(error);
  }
}

function makeExchanges(address: BrokerAddress, exchanges: readonly ExchangeSpec[]): Promise<void> {
  return withChannel(address, (channel) => assertExchanges(channel, exchanges));
}

function isOtherType(error: unknown): boolean {
  return /PRECONDITION_FAILED.*inequivalent arg 'type'/.test(reasonOf(error));
}

function brokerFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure(`the broker's queues cannot be made: ${reasonOf(error)}`);
}
