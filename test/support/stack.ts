import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BrokerClient } from './broker-client';
import { type BrokerUser, Ground } from './ground';
import { Http } from './http';
import { endAllOf, type Pod, podsOf, PodWatch } from './pods';
import { ServiceProcess } from './service-process';
import { freePorts, ROOT, serviceEnvironments, SERVICES, type ServiceName } from './settings';
import { SnapshotDisk } from './snapshot-disk';
import { Tenant } from './tenant';
import { AUDIENCE, type Claims, ISSUER, Issuer } from './tokens';

export interface StackOptions {
  /** Settings on top of what the launcher gives a service. */
  settings?: Partial<Record<ServiceName, Record<string, string>>>;
  /** Whether snapshots get a disk of their own, which can be filled up. */
  ownDisk?: boolean;
  /** The host under which pods find the gateway, where that is not this machine's own loopback: then it listens on all addresses. */
  gatewayHost?: string;
}

/**
 * A whole Reprise: its services as real processes from the built code, on servers, folders and ports of its own. Everything that it makes
 * has gone after `stop`.
 */
export class Stack {
  readonly directory = mkdtempSync(join(tmpdir(), 'reprise-e2e-'));
  /** The servers' side of it: rows, queues, logins. */
  readonly ground = new Ground(this.directory);
  readonly snapshotDisk = new SnapshotDisk(join(this.directory, 'snapshots'));
  /** A copy of its own, so that a scenario can spoil it. */
  readonly agentPath = join(this.directory, 'agent.js');
  readonly podTokenSecret = randomBytes(24).toString('hex');
  readonly secretsKey = randomBytes(24).toString('hex');
  readonly issuer = new Issuer();
  private readonly services = new Map<ServiceName, ServiceProcess>();
  private readonly clients: BrokerClient[] = [];
  private gateway: Http | undefined;
  private internal: BrokerClient | undefined;

  constructor(private readonly options: StackOptions = {}) {}

  /** Builds it up from nothing. */
  async start(): Promise<void> {
    // The users of pods pass here, as in the folder of an instance. What is secret is closed by itself.
    chmodSync(this.directory, 0o711);
    for (const folder of ['pods', 'snapshots', 'logs']) mkdirSync(join(this.directory, folder), { mode: 0o700 });
    if (this.options.ownDisk) await this.snapshotDisk.mount();
    copyFileSync(join(ROOT, 'runtime/agent/dist/agent.js'), this.agentPath);
    const ports = await freePorts(2 * SERVICES.length);
    const [environments] = await Promise.all([serviceEnvironments(this.values(ports), this.directory), this.ground.make()]);
    await this.ground.migrate(environments);
    SERVICES.forEach((name, index) =>
      this.services.set(name, this.program(name, environments[name], ports[index], ports[SERVICES.length + index])),
    );
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
    endAllOf(join(this.directory, 'pods'));
    await this.snapshotDisk.unmount();
    if (!keep) await this.removeDirectory();
    await this.ground.remove();
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

  /** A client of the broker with the login of a service, or of another internal publisher. */
  async brokerUser(name: BrokerUser): Promise<BrokerClient> {
    const client = await this.ground.connectAs(name);
    this.clients.push(client);
    return client;
  }

  token(claims: Claims = {}): string {
    return this.issuer.token(claims);
  }

  /** A new tenant that pays. */
  async tenant(): Promise<Tenant> {
    const tenant = this.tenantUnknownToBilling();
    await tenant.posture('active');
    return tenant;
  }

  /** A tenant that billing has never heard of. */
  tenantUnknownToBilling(): Tenant {
    return new Tenant(this, `org-${randomBytes(6).toString('hex')}`);
  }

  /** The organization whose tokens may have the scopes of operators. */
  operators(): Tenant {
    return new Tenant(this, 'reprise');
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

  /** The end of every log, for whoever has to find out why a scenario failed. */
  logTail(lines = 25): string {
    return [...this.services]
      .map(([name, service]) => `── ${name}\n${service.log().trimEnd().split('\n').slice(-lines).join('\n')}`)
      .join('\n');
  }

  private program(
    name: ServiceName,
    env: Record<string, string>,
    port: number | undefined,
    metricsPort: number | undefined,
  ): ServiceProcess {
    const own: Record<string, string> = name === 'provisioner' ? { AGENT_PATH: this.agentPath } : {};
    return new ServiceProcess({
      name,
      script: join(ROOT, 'services', name, 'dist/main.js'),
      cwd: this.directory,
      env: { ...env, ...own, ...this.options.settings?.[name] },
      logFile: join(this.directory, 'logs', `${name}.log`),
      url: `http://127.0.0.1:${port}`,
      metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    });
  }

  /** What stands in the `env` file of an instance that the launcher starts. */
  private values(ports: readonly number[]): Record<string, string> {
    return {
      ...this.ground.values,
      ...Object.fromEntries(SERVICES.map((name, index) => [`${name.toUpperCase()}_PORT`, String(ports[index])])),
      ...Object.fromEntries(SERVICES.map((name, index) => [`${name.toUpperCase()}_METRICS_PORT`, String(ports[SERVICES.length + index])])),
      POD_TOKEN_SECRET: this.podTokenSecret,
      SECRETS_KEY: this.secretsKey,
      JWT_PUBLIC_KEY_FILE: this.issuer.writePublicKey(this.directory),
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      GATEWAY_URL: `http://${this.options.gatewayHost ?? '127.0.0.1'}:${ports[0]}`,
    };
  }

  private async removeDirectory(): Promise<void> {
    // A workspace may hold directories that nobody may write to.
    await promisify(execFile)('chmod', ['-R', 'u+rwX', this.directory]);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The stack has not been started');
  return value;
}
