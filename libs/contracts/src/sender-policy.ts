import { brokerUserOf, sendersOf } from './broker-users';
import { CATALOG } from './catalog';
import type { RefusalBody } from './errors';
import type { Service } from './messages/message';
import { SENDER_UNKNOWN } from './requester';
import { QUEUES } from './topology';

/** `per-service`: each service has a broker user of its own. `shared`: all have the same one, so the broker cannot tell who sent a message. */
export const BROKER_LOGINS = ['per-service', 'shared'] as const;
export type BrokerLogins = (typeof BROKER_LOGINS)[number];

/** What a service knows of the broker's users. */
export interface BrokerLoginSettings {
  amqpUrl: string;
  amqpUsers: BrokerLogins;
  /** The logins of operators. */
  amqpOperators: readonly string[];
}

/** Whom a consumer believes. */
export interface SenderPolicy {
  /** Which broker users may send each type; null where all share one login. */
  senders: ReadonlyMap<string, ReadonlySet<string>> | null;
  /** Which broker user answers each type; null where all share one login. */
  answerers: ReadonlyMap<string, string> | null;
  /** Whether a reply may go to this queue. */
  mayReplyTo: (sender: string | undefined, queue: string) => boolean;
  /** The refusal of a command without a sender. */
  unknownSender: RefusalBody;
}

/** @throws Error where the service logs in as somebody else: no other service would take its messages */
export function senderPolicy(service: Service, { amqpUrl, amqpUsers, amqpOperators }: BrokerLoginSettings): SenderPolicy {
  if (amqpUsers === 'shared') return { senders: null, answerers: null, mayReplyTo: mayReplyToShared, unknownSender: SENDER_UNKNOWN };
  const login = decodeURIComponent(new URL(amqpUrl).username) || 'guest';
  const expected = brokerUserOf(service);
  if (login !== expected) {
    throw new Error(
      `AMQP_URL logs in as "${login}", but the broker user of ${service} is "${expected}"; use that one, or set AMQP_USERS=shared where all services share one login`,
    );
  }
  return { senders: sendersOf(amqpOperators), answerers: ANSWERERS, mayReplyTo, unknownSender: SENDER_UNKNOWN };
}

const ANSWERERS: ReadonlyMap<string, string> = new Map(
  [...CATALOG.values()].flatMap(({ type, kind, consumer }) => (kind !== 'event' && consumer ? [[type, brokerUserOf(consumer)]] : [])),
);

/** RabbitMQ's direct reply-to: the broker has put a secret of the asker's channel into it. */
const DIRECT = /^amq\.rabbitmq\.reply-to\../;

/** Direct reply-to, or a queue with the sender's own prefix: `reprise_publisher` has those that begin with `publisher.`. */
function mayReplyTo(sender: string | undefined, queue: string): boolean {
  return DIRECT.test(queue) || (sender !== undefined && queue.startsWith(`${sender.replace(/^reprise_/, '')}.`));
}

/** Anywhere but into the queues of services. */
function mayReplyToShared(_sender: string | undefined, queue: string): boolean {
  return DIRECT.test(queue) || !QUEUES.some(({ service }) => queue.startsWith(`${service}.`));
}
