import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { QueryResultRow } from 'pg';
import { BrokerClient, type Received } from './broker-client';
import { Http } from './http';
import { brokerUrl, databaseUrl, infrastructure, sharedPassword, withDatabase } from './infrastructure';
import type { Json } from './json';
import { Management } from './management';
import { type Pod, podsOf, PodWatch, processesOf } from './pods';
import { ServiceProcess } from './service-process';
import { SnapshotDisk } from './snapshot-disk';
import { freePorts, ROOT, serviceEnvironments, SERVICES, type ServiceName, WITH_DATABASE } from './settings';
import { Tenant } from './tenant';
import { AUDIENCE, type Claims, ISSUER, Issuer } from './tokens';

const run = promisify(execFile);
const BROKER_USERS = [...SERVICES, 'publisher'] as const;

export interface StackOptions {
  /** Settings on top of what the launcher gives a service. */
  settings?: Partial<Record<ServiceName, Record<string, string>>>;
  /** Whether snapshots get a disk of their own, which can be filled up. */
  ownDisk?: boolean;
}

/**
 * A whole Reprise: its services as real processes from the built code, on a database, a virtual host and folders of its own. Everything
 * that it makes has gone after `stop`.
 */
export class Stack {
  readonly name = `reprise_e2e_${randomBytes(6).toString('hex')}`;
  readonly directory = mkdtempSync(join(tmpdir(), 'reprise-e2e-'));
  readonly podsDir = join(this.directory, 'pods');
  readonly snapshotDisk = new SnapshotDisk(join(this.directory, 'snapshots'));
  /** A copy of its own, so that a scenario can spoil it. */
  readonly agentPath = join(this.directory, 'agent.js');
  readonly podTokenSecret = randomBytes(24).toString('hex');
  readonly issuer = new Issuer();
  private readonly servers = infrastructure();
  private readonly management = new Management(this.servers.managementUrl);
  private readonly services = new Map<ServiceName, ServiceProcess>();
  private readonly clients: BrokerClient[] = [];
  private readonly lettersSeen = new Set<string>();
  private gateway: Http | undefined;
  private internal: BrokerClient | undefined;

  constructor(private readonly options: StackOptions = {}) {}

  /** Builds it up from nothing: database, virtual host, roles, users, schemas, then the services. */
  async start(): Promise<void> {
    for (const folder of ['pods', 'snapshots', 'logs']) mkdirSync(join(this.directory, folder), { mode: 0o700 });
    if (this.options.ownDisk) await this.snapshotDisk.mount();
    copyFileSync(join(ROOT, 'runtime/agent/dist/agent.js'), this.agentPath);
    await withDatabase(this.servers.databaseUrl, (client) => client.query(`CREATE DATABASE ${this.name}`));
    const values = await this.values();
    const [environments] = await Promise.all([serviceEnvironments(values, this.directory), this.setUp(values)]);
    await Promise.all(WITH_DATABASE.map((name) => this.node(built('services', name, 'dist/migrate.js'), [], environments[name])));
    for (const name of SERVICES) {
      const own: Record<string, string> = name === 'provisioner' ? { AGENT_PATH: this.agentPath } : {};
      const process = new ServiceProcess({
        name,
        script: built('services', name, 'dist/main.js'),
        cwd: this.directory,
        env: { ...environments[name], ...own, ...this.options.settings?.[name] },
        logFile: join(this.directory, 'logs', `${name}.log`),
        url: `http://127.0.0.1:${values[`${name.toUpperCase()}_PORT`]}`,
      });
      this.services.set(name, process);
    }
    this.gateway = new Http(this.service('gateway').url);
    await Promise.all(SERVICES.map((name) => this.service(name).start()));
    this.internal = await this.brokerUser('publisher');
  }

  /**
   * Ends everything and takes it away.
   * @param options.keep leaves the folder with the logs
   */
  async stop({ keep = false } = {}): Promise<void> {
    for (const client of this.clients) await client.close();
    await Promise.all([...this.services.values()].map((service) => service.kill()));
    for (const pod of this.pods()) for (const pid of processesOf(pod)) kill(pid);
    await this.snapshotDisk.unmount();
    if (!keep) await this.removeDirectory();
    await Promise.all([
      this.management.deleteVhost(this.name),
      withDatabase(this.servers.databaseUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`)),
    ]);
  }

  service(name: ServiceName): ServiceProcess {
    return present(this.services.get(name));
  }

  get api(): Http {
    return present(this.gateway);
  }

  /** Another service of the house, which sees every event and may publish commands. */
  get publisher(): BrokerClient {
    return present(this.internal);
  }

  token(claims: Claims = {}): string {
    return this.issuer.token(claims);
  }

  /** A new tenant that pays. */
  async tenant(): Promise<Tenant> {
    const tenant = new Tenant(this, `org-${randomBytes(6).toString('hex')}`);
    await tenant.posture('active');
    return tenant;
  }

  /** A tenant that billing has never heard of. */
  tenantUnknownToBilling(): Tenant {
    return new Tenant(this, `org-${randomBytes(6).toString('hex')}`);
  }

  /** A client of the broker with the login of a service, or of an internal publisher. */
  async brokerUser(name: (typeof BROKER_USERS)[number]): Promise<BrokerClient> {
    const user = { name: `reprise_${name}`, password: sharedPassword(this.servers, `${name}_AMQP`) };
    return this.client(BrokerClient.open(brokerUrl(this.servers, this.name, user), { listen: name === 'publisher' }));
  }

  /** A client of the broker that may do everything. */
  brokerAdmin(): Promise<BrokerClient> {
    return this.client(BrokerClient.open(brokerUrl(this.servers, this.name), { listen: false }));
  }

  /** Every message that could not be handled and that was not told of before. */
  async deadLetters(): Promise<Received[]> {
    const rows = await this.sql<Letter>('SELECT id, message_id, type, headers, properties, body FROM deadletters.dead_letters ORDER BY id');
    const fresh = rows.filter(({ id }) => !this.lettersSeen.has(id));
    for (const { id } of fresh) this.lettersSeen.add(id);
    return fresh.map(asReceived);
  }

  closeBrokerConnections(): Promise<number> {
    return this.management.closeConnections(this.name);
  }

  /** The rows of a query, asked past all services. */
  async sql<R extends QueryResultRow = Json>(text: string, parameters: unknown[] = []): Promise<R[]> {
    const url = databaseUrl(this.servers, this.name);
    return withDatabase(url, async (client) => (await client.query<R>(text, parameters)).rows);
  }

  /** The pods that live on this machine, whatever the services believe; of one workspace or of all. */
  pods(workspaceId?: string): Pod[] {
    return podsOf(this.agentPath).filter((pod) => workspaceId === undefined || pod.workspaceId === workspaceId);
  }

  /** The one pod of a workspace. @throws Error where there is none, or more than one */
  pod(workspaceId: string): Pod {
    const [pod, ...others] = this.pods(workspaceId);
    if (!pod || others.length > 0) throw new Error(`${workspaceId} has ${pod ? others.length + 1 : 0} pods`);
    return pod;
  }

  watchPods(workspaceId: string): PodWatch {
    return new PodWatch(this.agentPath, workspaceId);
  }

  /** Every password that a service was given. */
  passwords(): string[] {
    return [...WITH_DATABASE.map((name) => `${name}_DB`), ...BROKER_USERS.map((name) => `${name}_AMQP`)].map((name) =>
      sharedPassword(this.servers, name),
    );
  }

  /** The end of every log, for whoever has to find out why a scenario failed. */
  logTail(lines = 25): string {
    return [...this.services]
      .map(([name, service]) => `── ${name}\n${service.log().trimEnd().split('\n').slice(-lines).join('\n')}`)
      .join('\n');
  }

  private async removeDirectory(): Promise<void> {
    // A workspace may hold directories that nobody may write to.
    await run('chmod', ['-R', 'u+rwX', this.directory]);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  private async client(opening: Promise<BrokerClient>): Promise<BrokerClient> {
    const client = await opening;
    this.clients.push(client);
    return client;
  }

  private async values(): Promise<Record<string, string>> {
    const ports = await freePorts(SERVICES.length);
    const named = <T extends string>(names: readonly T[], suffix: string, value: (name: T, index: number) => string) =>
      Object.fromEntries(names.map((name, index) => [`${name.toUpperCase()}_${suffix}`, value(name, index)]));
    return {
      DATABASE_URL: databaseUrl(this.servers, this.name),
      DATABASE_ROLES: 'per-service',
      AMQP_URL: brokerUrl(this.servers, this.name),
      AMQP_VHOST: this.name,
      AMQP_USERS: 'per-service',
      RABBITMQ_MANAGEMENT_URL: this.servers.managementUrl,
      ...named(SERVICES, 'PORT', (_, index) => String(ports[index])),
      ...named(WITH_DATABASE, 'DB_PASSWORD', (name) => sharedPassword(this.servers, `${name}_DB`)),
      ...named(BROKER_USERS, 'AMQP_PASSWORD', (name) => sharedPassword(this.servers, `${name}_AMQP`)),
      POD_TOKEN_SECRET: this.podTokenSecret,
      JWT_PUBLIC_KEY_FILE: this.issuer.writePublicKey(this.directory),
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      GATEWAY_URL: `http://127.0.0.1:${ports[0]}`,
    };
  }

  private async setUp(values: Record<string, string>): Promise<void> {
    await this.node(built('cli/dist/main.js'), ['setup'], { PATH: process.env.PATH ?? '', ...values });
  }

  private async node(script: string, args: string[], env: Record<string, string>): Promise<void> {
    // In its own folder, so that no instance of this checkout is found and asked.
    await run(process.execPath, [script, ...args], { cwd: this.directory, env });
  }
}

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

function built(...path: string[]): string {
  return resolve(ROOT, ...path);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The stack has not been started');
  return value;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone meanwhile.
  }
}
