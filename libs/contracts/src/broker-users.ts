import { CATALOG } from './catalog';
import { GetTenantPosture, SetTenantPosture, TenantPostureChanged } from './messages/billing';
import { CommandDead } from './messages/dead-letters';
import { CommandAccepted, CommandRefused, LIFECYCLE_EVENTS } from './messages/lifecycle-events';
import type { MessageClass, MessageKind, Service } from './messages/message';
import { OPERATOR_COMMANDS } from './messages/operator-commands';
import { POD_COMMANDS } from './messages/pod-commands';
import { POD_EVENTS } from './messages/pod-events';
import { GetOperation, GetTask, GetWorkspace, ListTasks, ListWorkspaces } from './messages/queries';
import { CancelTask, SubmitTask } from './messages/task-commands';
import { WORKSPACE_COMMANDS } from './messages/workspace-commands';
import { EXCHANGE, QUEUES } from './topology';

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
  /** What it may send. The broker holds it to the commands and events, the consumers to all three. */
  publish: Partial<Record<'commands' | 'events' | 'queries', readonly MessageClass[]>>;
  /** Exchanges it may bind its own queues to: for what it consumes, or, of events, for all of them. */
  bind: Partial<Record<'commands' | 'events', 'consumed' | 'all'>> & { queries?: 'all' };
  /** Has work queues: its retries and dead letters go by the two direct exchanges, its replies by the default one. */
  works: boolean;
  /** Takes the dead letters of everyone, and puts them back into the queues that failed. */
  drains?: true;
}

/** The one table of who may send what. A service makes and consumes its own queues, publishes what it must, and nothing else. */
const GRANTS: Readonly<Record<Service | 'publisher', Grant>> = {
  gateway: {
    publish: { commands: [...consumedBy('lifecycle', 'command'), ...consumedBy('deadletters', 'command')], queries: ofKind('query') },
    bind: { events: 'all' },
    works: false,
  },
  lifecycle: {
    publish: { commands: POD_COMMANDS, events: LIFECYCLE_EVENTS, queries: [GetTenantPosture] },
    bind: { commands: 'consumed', events: 'consumed', queries: 'all' },
    works: true,
  },
  provisioner: { publish: { events: POD_EVENTS }, bind: { commands: 'consumed', queries: 'all' }, works: true },
  billing: {
    publish: { events: [TenantPostureChanged, CommandAccepted, CommandRefused] },
    bind: { commands: 'consumed', queries: 'all' },
    works: true,
  },
  deadletters: { publish: { events: [CommandDead] }, bind: { commands: 'consumed', queries: 'all' }, works: true, drains: true },
  publisher: {
    publish: {
      commands: [...WORKSPACE_COMMANDS, SubmitTask, CancelTask, SetTenantPosture],
      queries: [GetWorkspace, ListWorkspaces, GetOperation, ListTasks, GetTask],
    },
    bind: { events: 'all' },
    works: false,
  },
};

/** What the `reprise` command asks and commands by the broker, with an operator's login. Dead letters are settled through the gateway alone. */
const OPERATORS_MAY: readonly MessageClass[] = [...ofKind('query'), SetTenantPosture, ...OPERATOR_COMMANDS];

/** Every user of the broker but the administrator. */
export const BROKER_USERS: readonly BrokerUser[] = (Object.keys(GRANTS) as (keyof typeof GRANTS)[]).map((name) => user(name, GRANTS[name]));

/** The broker user of a service. */
export function brokerUserOf(service: Service | 'publisher'): string {
  return `reprise_${service}`;
}

/** Whether a broker user may publish this message. */
export function mayPublish(user: string, { type }: MessageClass): boolean {
  return PUBLISHERS.get(type)?.has(user) ?? false;
}

/** Whose word the services take for who sent a message first, besides their own: it republishes what it has drained. */
export const TRUSTED_REPUBLISHERS: readonly string[] = [brokerUserOf('deadletters')];

/**
 * Which broker users' messages a consumer takes, by type: those that may publish it, operators, and whoever sends dead letters again under its own
 * name after an operator has changed them. It changes no letter whose first sender may not send its type.
 */
export function sendersOf(operators: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const allowed = new Set(OPERATORS_MAY.map(({ type }) => type));
  return new Map(
    [...CATALOG.values()].map((message) => [
      message.type,
      new Set([
        ...(PUBLISHERS.get(message.type) ?? []),
        ...(allowed.has(message.type) ? operators : []),
        ...(isWork(message) && message.consumer !== 'deadletters' ? TRUSTED_REPUBLISHERS : []),
      ]),
    ]),
  );
}

const PUBLISHERS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...CATALOG.values()].map((message) => [
    message.type,
    new Set(
      Object.entries(GRANTS)
        .filter(([, { publish }]) => Object.values(publish).some((messages) => messages.includes(message)))
        .map(([name]) => brokerUserOf(name as Service)),
    ),
  ]),
);

function user(name: Service | 'publisher', grant: Grant): BrokerUser {
  const { publish, bind, works, drains } = grant;
  const own = `${name}\\..*`;
  const transport = works ? [EXCHANGE.retry, EXCHANGE.dead] : [];
  const exchanges = (of: object): string[] => (Object.keys(of) as (keyof Grant['publish'])[]).map((exchange) => EXCHANGE[exchange]);
  // Replies to direct reply-to go by the default exchange, which RabbitMQ calls amq.default here. It reaches every queue by name: a user that
  // may write to it can put messages into, but never take any out of, another's queue. The consumers refuse them.
  const replies = works ? ['amq.default'] : [];
  return {
    name: brokerUserOf(name),
    configure: anyOf([own]),
    write: anyOf([own, ...[...exchanges(publish), ...transport, ...replies].map(literal)]),
    read: anyOf([own, ...[...exchanges(bind), ...transport].map(literal), ...(drains ? ['.*\\.dead'] : [])]),
    topics: [...topicsOf(name, grant), ...(works ? transportOf(own, drains === true) : [])],
  };
}

/** The keys that it may publish with, and bind with. Without an entry the broker would let it use every key of an exchange that it may write or read. */
function topicsOf(name: Service | 'publisher', { publish, bind }: Grant): BrokerUser['topics'] {
  return (['commands', 'events'] as const)
    .filter((exchange) => publish[exchange] ?? bind[exchange])
    .map((exchange) => {
      const kind = exchange === 'commands' ? 'command' : 'event';
      const bound = bind[exchange] && consumedBy(name, kind).map(({ type }) => literal(type));
      return {
        exchange: EXCHANGE[exchange],
        write: anyOf((publish[exchange] ?? []).map(({ type }) => literal(type))),
        read: bind[exchange] === 'all' ? '.*' : anyOf(bound ?? []),
      };
    });
}

/** Its own retries and dead letters; and whoever drains them all may put them back into the queues that failed. */
function transportOf(own: string, drains: boolean): BrokerUser['topics'] {
  const failed = QUEUES.filter(({ kind }) => kind === 'work').map(({ name }) => literal(name));
  return [
    { exchange: EXCHANGE.retry, write: anyOf(drains ? [own, ...failed] : [own]), read: anyOf([own]) },
    { exchange: EXCHANGE.dead, write: anyOf([own]), read: anyOf([own]) },
  ];
}

function ofKind(kind: MessageKind): MessageClass[] {
  return [...CATALOG.values()].filter((message) => message.kind === kind);
}

function consumedBy(consumer: string, kind: MessageKind): MessageClass[] {
  return ofKind(kind).filter((message) => message.consumer === consumer);
}

/** Whether it waits in a work queue, and so can become a dead letter that is sent again. */
function isWork({ type }: MessageClass): boolean {
  return QUEUES.some(({ kind, bindings }) => kind === 'work' && bindings.some(({ routingKey }) => routingKey === type));
}

/** Nothing at all where there is no pattern. */
function anyOf(patterns: string[]): string {
  return patterns.length === 0 ? '^$' : `^(${patterns.join('|')})$`;
}

function literal(text: string): string {
  return text.replaceAll('.', '\\.');
}
