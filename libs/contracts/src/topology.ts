import { MESSAGES } from './catalog';
import type { MessageClass, MessageKind, Service } from './messages/message';

/** The only place that names an exchange, a queue or a broker user. */

export const EXCHANGE = {
  commands: 'reprise.commands',
  events: 'reprise.events',
  /** Direct: a query's routing key reaches the one queue that answers it, and the gateway needs no right to the default exchange. */
  queries: 'reprise.queries',
  /** The keys of these two are names of queues. They are topic exchanges since the broker limits the keys of a user on no others. */
  retry: 'reprise.retry',
  dead: 'reprise.dead',
} as const;

export const EXCHANGES = [
  { name: EXCHANGE.commands, type: 'topic' },
  { name: EXCHANGE.events, type: 'topic' },
  { name: EXCHANGE.queries, type: 'direct' },
  { name: EXCHANGE.retry, type: 'topic' },
  { name: EXCHANGE.dead, type: 'topic' },
] as const;

export const QUEUE = {
  lifecycleCommands: 'lifecycle.commands',
  lifecycleEvents: 'lifecycle.events',
  lifecycleQueries: 'lifecycle.queries',
  provisionerCommands: 'provisioner.commands',
  provisionerQueries: 'provisioner.queries',
  billingCommands: 'billing.commands',
  billingQueries: 'billing.queries',
  deadlettersCommands: 'deadletters.commands',
  deadlettersQueries: 'deadletters.queries',
} as const;

/** `work` is a quorum queue with its retry and dead-letter queues; `query` is a classic one, whose messages are not persistent. */
export interface QueueSpec {
  name: string;
  service: Service;
  kind: 'work' | 'query';
  bindings: { exchange: string; routingKey: string }[];
}

export const EXCHANGE_OF: Record<MessageKind, string> = { command: EXCHANGE.commands, event: EXCHANGE.events, query: EXCHANGE.queries };

/** Every durable or shared queue, with the bindings that the catalogue asks for. The gateway's own queue for events is made by each instance. */
export const QUEUES: readonly QueueSpec[] = [
  queue(QUEUE.lifecycleCommands, 'lifecycle', 'command'),
  queue(QUEUE.lifecycleEvents, 'lifecycle', 'event'),
  queue(QUEUE.lifecycleQueries, 'lifecycle', 'query'),
  queue(QUEUE.provisionerCommands, 'provisioner', 'command'),
  queue(QUEUE.provisionerQueries, 'provisioner', 'query'),
  queue(QUEUE.billingCommands, 'billing', 'command'),
  queue(QUEUE.billingQueries, 'billing', 'query'),
  queue(QUEUE.deadlettersCommands, 'deadletters', 'command'),
  queue(QUEUE.deadlettersQueries, 'deadletters', 'query'),
];

/** The queues of one service. */
export function queuesOf(service: Service): QueueSpec[] {
  return QUEUES.filter((q) => q.service === service);
}

/** The exchange that a message is published to; its routing key is its type. */
export function exchangeOf(message: MessageClass): string {
  return EXCHANGE_OF[message.kind];
}

function queue(name: string, service: Service, kind: MessageKind): QueueSpec {
  const bindings = MESSAGES.filter((m) => m.consumer === service && m.kind === kind).map((m) => ({
    exchange: EXCHANGE_OF[kind],
    routingKey: m.type,
  }));
  return { name, service, kind: kind === 'query' ? 'query' : 'work', bindings };
}
