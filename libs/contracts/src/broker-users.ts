import {
  ResumeWorkspace,
  RestartWorkspace,
  StopWorkspace,
  ArchiveWorkspace,
  UnarchiveWorkspace,
  CreateWorkspace,
} from './messages/workspace-commands';
import { CancelTask, SubmitTask } from './messages/task-commands';
import { SetTenantPosture } from './messages/billing';
import { EXCHANGE } from './topology';

/** What one broker user may do: RabbitMQ's own three patterns, and the routing keys that it may publish, by exchange. */
export interface BrokerUser {
  name: string;
  configure: string;
  write: string;
  read: string;
  topics: { exchange: string; write: string; read: string }[];
}

const any = '.*';
const e = escape;

/** A service makes and consumes its own queues, publishes where it must, and nothing else. */
export const BROKER_USERS: readonly BrokerUser[] = [
  {
    name: 'reprise_gateway',
    configure: own('gateway'),
    write: allOf([own('gateway', true), e(EXCHANGE.commands), e(EXCHANGE.queries)]),
    read: allOf([own('gateway', true), e(EXCHANGE.events)]),
    topics: [],
  },
  service('lifecycle', [EXCHANGE.queries]),
  service('provisioner', []),
  service('billing', []),
  {
    name: 'reprise_publisher',
    configure: own('publisher'),
    write: allOf([own('publisher', true), e(EXCHANGE.commands)]),
    read: allOf([own('publisher', true), e(EXCHANGE.events)]),
    topics: [
      {
        exchange: EXCHANGE.commands,
        write: allOf(
          [
            CreateWorkspace,
            RestartWorkspace,
            StopWorkspace,
            ResumeWorkspace,
            ArchiveWorkspace,
            UnarchiveWorkspace,
            SubmitTask,
            CancelTask,
            SetTenantPosture,
          ].map((m) => e(m.type)),
        ),
        read: any,
      },
    ],
  },
];

/** A service with work queues: its retries and dead letters go by the two direct exchanges, its replies by the default one. */
function service(name: string, more: string[]): BrokerUser {
  const exchanges = [EXCHANGE.commands, EXCHANGE.events, EXCHANGE.retry, EXCHANGE.dead].map(e);
  return {
    name: `reprise_${name}`,
    configure: own(name),
    write: allOf([own(name, true), ...exchanges, ...more.map(e), 'amq\\.default']),
    read: allOf([own(name, true), ...exchanges, e(EXCHANGE.queries)]),
    topics: [],
  };
}

function own(name: string, bare = false): string {
  return bare ? `${name}\\..*` : `^${name}\\..*$`;
}

function allOf(patterns: string[]): string {
  return `^(${patterns.join('|')})$`;
}

function escape(text: string): string {
  return text.replaceAll('.', '\\.');
}
