import { Client } from 'pg';

/** The servers that stacks are built on, with their administrators' logins. */
export interface Infrastructure {
  databaseUrl: string;
  amqpUrl: string;
  managementUrl: string;
}

/** @throws Error that says how to get one */
export function infrastructure(): Infrastructure {
  const { TEST_DATABASE_URL, TEST_AMQP_URL, TEST_RABBITMQ_MANAGEMENT_URL } = process.env;
  if (!TEST_DATABASE_URL || !TEST_AMQP_URL || !TEST_RABBITMQ_MANAGEMENT_URL) {
    throw new Error('TEST_DATABASE_URL, TEST_AMQP_URL and TEST_RABBITMQ_MANAGEMENT_URL are not set; npm test sets them');
  }
  return { databaseUrl: TEST_DATABASE_URL, amqpUrl: TEST_AMQP_URL, managementUrl: TEST_RABBITMQ_MANAGEMENT_URL };
}

/**
 * The password that goes with a variable such as GATEWAY_AMQP_PASSWORD. Broker users and database roles belong to the whole server: every
 * set-up that meets on it in a test run, those of the command's own tests too, must give them the same.
 */
export function sharedPassword(variable: string): string {
  return process.env[variable] ?? 'for-tests-only';
}

/** Runs a piece of work with an administrator's connection to one database of the server. */
export async function withDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The same server, another database. */
export function databaseUrl({ databaseUrl: url }: Infrastructure, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

/** The same broker, another virtual host and, where given, another user. */
export function brokerUrl({ amqpUrl: url }: Infrastructure, vhost: string, user?: { name: string; password: string }): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(vhost)}`;
  if (user) [other.username, other.password] = [user.name, user.password];
  return other.href;
}
