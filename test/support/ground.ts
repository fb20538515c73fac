import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { QueryResultRow } from 'pg';
import { BrokerClient, type Received } from './broker-client';
import { eventually } from './eventually';
import { brokerUrl, databaseUrl, infrastructure, sharedPassword, withDatabase } from './infrastructure';
import type { Json } from './json';
import { Management } from './management';
import { copyTemplate, makeTemplate } from './migrated-template';
import { ROOT, SERVICES, type ServiceName, WITH_DATABASE } from './settings';

const run = promisify(execFile);
export type BrokerUser = ServiceName | 'publisher';

/** The variables with the passwords of all database roles and broker users. */
const PASSWORDS = [
  ...WITH_DATABASE.map((name) => `${name.toUpperCase()}_DB_PASSWORD`),
  ...[...SERVICES, 'publisher'].map((name) => `${name.toUpperCase()}_AMQP_PASSWORD`),
];

/** What a stack stands on: a database and a virtual host of its own, made by the set-up and the migrations that production uses. */
export class Ground {
  private readonly name = `reprise_e2e_${randomBytes(6).toString('hex')}`;
  private readonly servers = infrastructure();
  private readonly lettersTold = new Set<string>();
  private isMigrated = false;
  readonly management = new Management(this.servers.managementUrl);

  /** @param directory where nothing of another instance is found */
  constructor(private readonly directory: string) {}

  /** The name of its virtual host, which is the database's too. */
  get vhost(): string {
    return this.name;
  }

  /** What an instance's `env` file says of its servers. */
  get values(): Record<string, string> {
    return {
      DATABASE_URL: databaseUrl(this.servers, this.name),
      DATABASE_ROLES: 'per-service',
      AMQP_URL: brokerUrl(this.servers, this.name),
      AMQP_VHOST: this.name,
      AMQP_USERS: 'per-service',
      RABBITMQ_MANAGEMENT_URL: this.servers.managementUrl,
      ...Object.fromEntries(PASSWORDS.map((variable) => [variable, sharedPassword(variable)])),
    };
  }

  /** Makes the database and the virtual host, with roles, schemas, users and queues. */
  async make(): Promise<void> {
    await withDatabase(this.servers.databaseUrl, async (client) => {
      this.isMigrated = await copyTemplate(client, this.name);
      if (!this.isMigrated) await client.query(`CREATE DATABASE ${this.name}`);
    });
    await this.node('cli/dist/main.js', ['setup'], { PATH: process.env.PATH ?? '', ...this.values });
  }

  /** Makes the tables, or has them already from the first one who made them on this server. Nobody may be connected to the database. */
  async migrate(environments: Record<ServiceName, Record<string, string>>): Promise<void> {
    if (this.isMigrated) return;
    await Promise.all(WITH_DATABASE.map((name) => this.node(`services/${name}/dist/migrate.js`, [], environments[name])));
    await withDatabase(this.servers.databaseUrl, (client) => makeTemplate(client, this.name));
  }

  /** As a disk that is lost: an empty database stands in its place. */
  async loseDatabase(): Promise<void> {
    await withDatabase(this.servers.databaseUrl, async (client) => {
      await client.query(`DROP DATABASE ${this.name} WITH (FORCE)`);
      await client.query(`CREATE DATABASE ${this.name}`);
    });
  }

  async remove(): Promise<void> {
    await Promise.all([
      this.management.deleteVhost(this.name),
      withDatabase(this.servers.databaseUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`)),
    ]);
  }

  /** The rows of a query, asked past all services. */
  sql<R extends QueryResultRow = Json>(text: string, parameters: unknown[] = []): Promise<R[]> {
    const url = databaseUrl(this.servers, this.name);
    return withDatabase(url, async (client) => (await client.query<R>(text, parameters)).rows);
  }

  /** A client of the broker with the login of a service, or of an internal publisher. */
  connectAs(name: BrokerUser): Promise<BrokerClient> {
    return BrokerClient.open(this.brokerUrl(name), { listen: name === 'publisher' });
  }

  /** The address of the broker for its administrator. */
  get adminBrokerUrl(): string {
    return brokerUrl(this.servers, this.name);
  }

  /** The address of the broker with that login in it. */
  brokerUrl(name: BrokerUser): string {
    const user = { name: `reprise_${name}`, password: sharedPassword(`${name.toUpperCase()}_AMQP_PASSWORD`) };
    return brokerUrl(this.servers, this.name, user);
  }

  /** Every message that could not be handled and was not told of before. */
  async deadLetters(): Promise<Received[]> {
    const rows = await this.sql<Letter>('SELECT id, message_id, type, headers, properties, body FROM deadletters.dead_letters ORDER BY id');
    const fresh = rows.filter(({ id }) => !this.lettersTold.has(id));
    for (const { id } of fresh) this.lettersTold.add(id);
    return fresh.map(asReceived);
  }

  /** The connections of the services to the broker, once there is one of each. */
  brokerConnections(): Promise<string[]> {
    const users = SERVICES.map((name) => `reprise_${name}`);
    return eventually(
      async () => {
        const connections = await this.management.connections(this.name, users);
        if (connections.length < users.length) throw new Error(`the broker tells of ${connections.length} connections of services`);
        return connections;
      },
      { within: 20_000, every: 250 },
    );
  }

  closeConnections(connections: readonly string[]): Promise<void> {
    return this.management.close(connections);
  }

  /** Every password that a service was given. */
  get passwords(): string[] {
    return PASSWORDS.map(sharedPassword);
  }

  private async node(script: string, args: string[], env: Record<string, string>): Promise<void> {
    await run(process.execPath, [resolve(ROOT, script), ...args], { cwd: this.directory, env });
  }
}

/** A row of the dead letters. */
interface Letter {
  id: string;
  message_id: string;
  type: string;
  headers: string;
  properties: string;
  body: Buffer;
}

function asReceived({ message_id: id, type, headers, properties, body }: Letter): Received {
  const { correlationId } = JSON.parse(properties) as { correlationId: string };
  return { id, type, correlationId, headers: JSON.parse(headers) as Received['headers'], data: body.toString() };
}
