import type { Channel, Options } from 'amqplib';
import {
  deadQueueOf,
  DELIVERY_LIMIT,
  ExchangeSpec,
  QUERY_TTL_MS,
  QueueSpec,
  RETRY_DELAYS,
  RetryDelay,
  retryQueueOf,
  TopologyNames,
} from './topology';

export interface AssertQueueOptions {
  names: TopologyNames;
  /** Default {@link RETRY_DELAYS}. */
  retryDelays?: readonly RetryDelay[];
  /** Default {@link DELIVERY_LIMIT}. */
  deliveryLimit?: number;
  /** Declares a query queue as older versions did; for one that {@link isStillTransient}. Default false. */
  transientQueries?: boolean;
}

/**
 * Makes durable exchanges. For the set-up only: a service's broker user may not.
 * @throws the broker's 406 where one is there with another type
 */
export async function assertExchanges(channel: Channel, exchanges: readonly ExchangeSpec[]): Promise<void> {
  for (const { name, type } of exchanges) await channel.assertExchange(name, type, { durable: true });
}

/**
 * Makes a queue with all that belongs to it, and its bindings; doing it again changes nothing. The set-up and each consumer use this one
 * function, so a deleted queue comes back as it was. Needs the rights to configure the queue's own names, to write to the two exchanges in
 * `names` (they are dead-letter exchanges here) and to read from the exchanges of the bindings.
 */
export async function assertQueue(channel: Channel, spec: QueueSpec, options: AssertQueueOptions): Promise<void> {
  if (spec.kind === 'work') await assertWorkQueue(channel, spec.name, options);
  else await channel.assertQueue(spec.name, options.transientQueries ? TRANSIENT_QUERY_QUEUE : QUERY_QUEUE);
  for (const { exchange, routingKey } of spec.bindings) await channel.bindQueue(spec.name, exchange, routingKey);
}

/**
 * Whether `assertQueue` failed because a query queue of an older version is there, which was not durable. Old replicas consume from it until they are
 * replaced; it goes with the next restart of the broker, or when somebody deletes it.
 */
export function isStillTransient(error: unknown): boolean {
  return error instanceof Error && /PRECONDITION_FAILED.*inequivalent arg 'durable'/.test(error.message);
}

/** Durable, though queries are not: RabbitMQ 4.3 refuses queues that are neither durable nor exclusive. */
const QUERY_QUEUE: Options.AssertQueue = {
  durable: true,
  autoDelete: false,
  messageTtl: QUERY_TTL_MS,
  arguments: { 'x-queue-type': 'classic' },
};
const TRANSIENT_QUERY_QUEUE: Options.AssertQueue = { durable: false, autoDelete: false, messageTtl: QUERY_TTL_MS };

async function assertWorkQueue(channel: Channel, name: string, options: AssertQueueOptions): Promise<void> {
  const { names, retryDelays = RETRY_DELAYS, deliveryLimit = DELIVERY_LIMIT } = options;

  // The dead-letter queue comes first: at-least-once dead-lettering keeps a message in its source queue while its target is missing.
  const dead = deadQueueOf(name);
  await channel.assertQueue(dead, quorum({}));
  await channel.bindQueue(dead, names.dead, name);

  await channel.assertQueue(name, quorum({ ...deadLetterTo(names.dead, name), 'x-delivery-limit': deliveryLimit }));
  await channel.bindQueue(name, names.retry, name);

  for (const { label, ms } of retryDelays) {
    const retry = retryQueueOf(name, label);
    await channel.assertQueue(retry, quorum({ ...deadLetterTo(names.retry, name), 'x-message-ttl': ms }));
    // Bound by its own name, so that a service needs no right to the default exchange, which reaches every queue, to put a message here.
    await channel.bindQueue(retry, names.retry, retry);
  }
}

function quorum(args: Record<string, unknown>): Options.AssertQueue {
  return { durable: true, arguments: { 'x-queue-type': 'quorum', ...args } };
}

/** All of these are needed: with one missing the broker falls back to at-most-once and says nothing (measured). */
function deadLetterTo(exchange: string, routingKey: string): Record<string, unknown> {
  return {
    'x-dead-letter-exchange': exchange,
    'x-dead-letter-routing-key': routingKey,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  };
}
