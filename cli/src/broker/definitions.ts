import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BROKER_USERS, EXCHANGES } from '@reprise/contracts';
import { DEPLOY } from '../paths';

/** The virtual host that the committed definition names; the set-up puts another in its place where one is wanted. */
export const VHOST = 'reprise';

/** What `rabbitmqctl import_definitions` and the management API read. Only what Reprise needs of it. */
export interface Definitions {
  vhosts: { name: string }[];
  users: { name: string; password: string; tags: string }[];
  permissions: { user: string; vhost: string; configure: string; write: string; read: string }[];
  topic_permissions: { user: string; vhost: string; exchange: string; write: string; read: string }[];
  exchanges: ExchangeDefinition[];
}

interface ExchangeDefinition {
  name: string;
  vhost: string;
  type: string;
  durable: boolean;
  auto_delete: boolean;
  internal: boolean;
  arguments: Record<string, never>;
}

/** The variable with the password of a broker user: `reprise_gateway` → `GATEWAY_AMQP_PASSWORD`. */
export function passwordVariable(user: string): string {
  return `${user.replace(/^reprise_/, '').toUpperCase()}_AMQP_PASSWORD`;
}

/** The committed file: what the set-up applies, and what `rabbitmqctl import_definitions` imports once the passwords are in it. */
export const DEFINITIONS_FILE = join(DEPLOY, 'rabbitmq', 'definitions.json');

/**
 * The definition of the broker as the contracts say it: virtual host, users, permissions and exchanges, with placeholders such as
 * `${GATEWAY_AMQP_PASSWORD}` for the passwords. Queues are not in it: each service makes its own, and so does the set-up, by the one
 * function that knows how.
 */
export function definitionsOfContracts(): string {
  const definitions: Definitions = {
    vhosts: [{ name: VHOST }],
    users: BROKER_USERS.map(({ name }) => ({ name, password: `\${${passwordVariable(name)}}`, tags: '' })),
    permissions: BROKER_USERS.map(({ name, configure, write, read }) => ({ user: name, vhost: VHOST, configure, write, read })),
    topic_permissions: BROKER_USERS.flatMap(({ name, topics }) => topics.map((topic) => ({ user: name, vhost: VHOST, ...topic }))),
    exchanges: EXCHANGES.map(({ name, type }) => ({
      name,
      vhost: VHOST,
      type,
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: {},
    })),
  };
  return `${JSON.stringify(definitions, null, 2)}\n`;
}

/** The committed definition for one virtual host, with its passwords. */
export function readDefinitions(vhost: string, passwordOf: (user: string) => string): Definitions {
  const committed = JSON.parse(readFileSync(DEFINITIONS_FILE, 'utf8')) as Definitions;
  const here = <T extends { vhost: string }>(parts: T[]): T[] => parts.map((part) => ({ ...part, vhost }));
  return {
    vhosts: [{ name: vhost }],
    users: committed.users.map((user) => ({ ...user, password: passwordOf(user.name) })),
    permissions: here(committed.permissions),
    topic_permissions: here(committed.topic_permissions),
    exchanges: here(committed.exchanges),
  };
}
