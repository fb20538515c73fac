import { CATALOG } from './catalog';
import { TenantPostureChanged, SetTenantPosture } from './messages/billing';
import { CommandAccepted, CommandRefused, LIFECYCLE_EVENTS } from './messages/lifecycle-events';
import type { MessageClass, Service } from './messages/message';
import { POD_EVENTS } from './messages/pod-events';
import { CancelTask, SubmitTask } from './messages/task-commands';
import { WORKSPACE_COMMANDS } from './messages/workspace-commands';
import { EXCHANGE, EXCHANGE_OF } from './topology';

/** What one broker user may do: RabbitMQ's own three patterns, and the routing keys that it may publish, by topic exchange. */
export interface BrokerUser {
  name: string;
  configure: string;
  write: string;
  read: string;
  topics: { exchange: string; write: string; read: string }[];
}

/** What a user is given, in words; everything else is barred. Its own queues are those whose names begin with its own. */
interface Grant {
  /** Exchanges it publishes to; on the topic ones only these messages. */
  publish: Partial<Record<'commands' | 'events', readonly MessageClass[]>> & { queries?: true };
  /** Exchanges it may bind its own queues to. */
  bind: readonly (keyof typeof EXCHANGE)[];
  /** Has work queues: its retries and dead letters go by the two direct exchanges, its replies by the default one. */
  works: boolean;
  /** Takes the dead letters of everyone, and puts them back into the queues that failed. */
  drains?: true;
}

/** Every user of the broker but the administrator. A service makes and consumes its own queues, publishes what it must, and nothing else. */
export const BROKER_USERS: readonly BrokerUser[] = [
  user('gateway', {
    publish: { commands: [...consumedBy('lifecycle'), ...consumedBy('deadletters')], queries: true },
    bind: ['events'],
    works: false,
  }),
  user('lifecycle', {
    publish: { commands: consumedBy('provisioner'), events: LIFECYCLE_EVENTS, queries: true },
    bind: ['commands', 'events', 'queries'],
    works: true,
  }),
  user('provisioner', { publish: { events: POD_EVENTS }, bind: ['commands', 'events', 'queries'], works: true }),
  user('billing', {
    publish: { events: [TenantPostureChanged, CommandAccepted, CommandRefused] },
    bind: ['commands', 'events', 'queries'],
    works: true,
  }),
  user('deadletters', { publish: {}, bind: ['commands', 'queries'], works: true, drains: true }),
  user('publisher', {
    publish: { commands: [...WORKSPACE_COMMANDS, SubmitTask, CancelTask, SetTenantPosture] },
    bind: ['events'],
    works: false,
  }),
];

/** Whether a broker user may publish this message. */
export function mayPublish(user: string, { kind, type }: MessageClass): boolean {
  const topics = BROKER_USERS.find(({ name }) => name === user)?.topics ?? [];
  return topics.some(({ exchange, write }) => exchange === EXCHANGE_OF[kind] && new RegExp(write).test(type));
}

/** Whose word the services take for who sent a message first, besides their own: it republishes what it has drained. */
export const TRUSTED_REPUBLISHERS: readonly string[] = ['reprise_deadletters'];

function user(name: string, { publish, bind, works, drains }: Grant): BrokerUser {
  const own = `${name}\\..*`;
  const transport = works ? [EXCHANGE.retry, EXCHANGE.dead] : [];
  const written = (Object.keys(publish) as (keyof Grant['publish'])[]).map((exchange) => EXCHANGE[exchange]);
  // Replies to direct reply-to go by the default exchange, which RabbitMQ calls amq.default here. It reaches every queue by name: a user that
  // may write to it could put messages into, but never take any out of, another's queue.
  const replies = works ? ['amq.default'] : [];
  return {
    name: `reprise_${name}`,
    configure: anyOf([own]),
    write: anyOf([own, ...[...written, ...transport, ...replies].map(literal)]),
    read: anyOf([own, ...[...bind.map((exchange) => EXCHANGE[exchange]), ...transport].map(literal), ...(drains ? ['.*\\.dead'] : [])]),
    topics: (['commands', 'events'] as const).flatMap((exchange) => {
      const messages = publish[exchange];
      return messages ? [{ exchange: EXCHANGE[exchange], write: anyOf(messages.map((m) => literal(m.type))), read: '.*' }] : [];
    }),
  };
}

function consumedBy(service: Service): MessageClass[] {
  return [...CATALOG.values()].filter((m) => m.kind === 'command' && m.consumer === service);
}

function anyOf(patterns: string[]): string {
  return `^(${patterns.join('|')})$`;
}

function literal(text: string): string {
  return text.replaceAll('.', '\\.');
}
