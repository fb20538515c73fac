import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT, SERVICES, type ServiceName } from '../../support';
import { Ground } from '../../support/ground';
import { endAllOf } from '../../support/pods';
import { freePorts, serviceEnvironments } from '../../support/settings';
import { SnapshotDisk } from '../../support/snapshot-disk';
import { AUDIENCE, ISSUER, Issuer } from '../../support/tokens';
import type { Ledger } from './ledger';
import { Service } from './service';
import { Way } from './way';

const REPLICAS: Record<ServiceName, number> = { gateway: 1, lifecycle: 2, provisioner: 2, billing: 1, deadletters: 1 };

/** Everything that waits, waits less than by default: what takes minutes there is to be seen many times in one run. */
export const OPERATION_DEADLINE_SECONDS = 90;
const SETTINGS: Partial<Record<ServiceName, Record<string, string>>> = {
  gateway: { RATE_LIMIT_PER_MINUTE: '0' },
  lifecycle: {
    OPERATION_DEADLINE_SECONDS: String(OPERATION_DEADLINE_SECONDS),
    OPERATION_RESEND_SECONDS: '10',
    WATCHDOG_INTERVAL_SECONDS: '2',
    TASK_GRACE_SECONDS: '10',
  },
  provisioner: {
    JOB_LEASE_SECONDS: '4',
    WORKER_POLL_MS: '500',
    RECONCILE_INTERVAL_SECONDS: '2',
    STEP_TIMEOUT_SECONDS: '15',
    TRANSFER_TIMEOUT_SECONDS: '30',
    POD_GRACE_SECONDS: '2',
  },
};

/**
 * A Reprise of several replicas, each of which reaches the broker, the database and the gateway by a way of its own that can be cut. What is
 * asked from outside (rows, queues) is asked directly.
 */
export class Fleet {
  readonly directory: string;
  readonly ground: Ground;
  readonly disk: SnapshotDisk;
  readonly agentPath: string;
  readonly issuer = new Issuer();
  readonly services: Service[] = [];
  readonly ways: Way[] = [];
  private readonly podTokenSecret = 'of-the-faults-suite-alone';
  /** Where callers reach the gateway. */
  apiUrl = '';

  /** @param state the folder of the run, where nothing else is */
  constructor(
    state: string,
    private readonly ledger: Ledger,
  ) {
    this.directory = join(state, 'fleet');
    this.ground = new Ground(this.directory);
    this.disk = new SnapshotDisk(join(this.directory, 'snapshots'), '512m');
    this.agentPath = join(this.directory, 'agent.js');
  }

  async start(): Promise<void> {
    await this.clear();
    mkdirSync(this.directory, { recursive: true });
    for (const folder of ['pods', 'snapshots', 'logs']) mkdirSync(join(this.directory, folder), { mode: 0o700 });
    await this.disk.mount();
    copyFileSync(join(ROOT, 'runtime/agent/dist/agent.js'), join(this.directory, 'agent-itself.js'));
    copyFileSync(join(__dirname, 'spoilable-agent.cjs'), this.agentPath);
    const ports = await freePorts(SERVICES.length);
    const gateway = `http://127.0.0.1:${ports[0]}`;
    const podsWay = await this.way(gateway, 'pods–gateway');
    const callersWay = await this.way(gateway, 'callers–gateway');
    this.apiUrl = callersWay.through(gateway);
    const values = this.values(ports, podsWay.through(gateway));
    const [environments] = await Promise.all([serviceEnvironments(values, this.directory), this.ground.make()]);
    await this.ground.migrate(environments);
    for (const [index, name] of SERVICES.entries()) {
      const others = await freePorts(REPLICAS[name] - 1);
      for (const [n, port] of [ports[index]!, ...others].entries()) {
        this.services.push(await this.replica(name, REPLICAS[name] > 1 ? `${name}-${n + 1}` : name, environments[name], port));
      }
    }
    for (const service of this.services) service.start();
    await Promise.all(this.services.map((service) => service.ready()));
  }

  /** Ends everything and takes it away. @param keep leaves the folder with the logs */
  async stop({ keep }: { keep: boolean }): Promise<void> {
    await Promise.all(this.services.map((service) => service.end('SIGKILL')));
    endAllOf(join(this.directory, 'pods'));
    await Promise.all(this.ways.map((way) => way.close()));
    await this.disk.unmount();
    if (!keep) await this.clear();
  }

  replicasOf(name: ServiceName): Service[] {
    return this.services.filter(({ service }) => service === name);
  }

  /** What becomes of the requests to agents from now on, in turn; null: agents are themselves again. */
  spoilAgents(ways: readonly string[] | null): void {
    const list = join(this.directory, 'spoiled');
    if (ways) writeFileSync(list, JSON.stringify(ways));
    else rmSync(list, { force: true });
  }

  /** What a run leaves, also one that was interrupted, and the logs that were kept of one with a violation. */
  private async clear(): Promise<void> {
    if (!existsSync(this.directory)) return;
    endAllOf(join(this.directory, 'pods'));
    await this.disk.unmount();
    await promisify(execFile)('chmod', ['-R', 'u+rwX', this.directory]);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  private async way(url: string, name: string): Promise<Way> {
    const way = await Way.to(url, name);
    this.ways.push(way);
    return way;
  }

  private async replica(service: ServiceName, name: string, env: Record<string, string>, port: number): Promise<Service> {
    const [metricsPort] = await freePorts(1);
    const own: Record<string, string> = service === 'provisioner' ? { AGENT_PATH: this.agentPath } : {};
    const amqp = await this.way(env.AMQP_URL!, `${name}–broker`);
    const reached: Record<string, string> = { AMQP_URL: amqp.through(env.AMQP_URL!) };
    if (env.DATABASE_URL) {
      const database = await this.way(env.DATABASE_URL, `${name}–database`);
      reached.DATABASE_URL = database.through(env.DATABASE_URL);
    }
    return new Service(
      {
        name,
        service,
        script: join(ROOT, 'services', service, 'dist/main.js'),
        cwd: this.directory,
        env: {
          ...env,
          ...SETTINGS[service],
          ...own,
          ...reached,
          HTTP_PORT: String(port),
          METRICS_PORT: String(metricsPort),
          NODE_OPTIONS: `${env.NODE_OPTIONS ?? ''} --require ${join(__dirname, 'shifted-clock.cjs')}`,
        },
        logFile: join(this.directory, 'logs', `${name}.log`),
        url: `http://127.0.0.1:${port}`,
      },
      (who, how) => {
        this.ledger.count('services that ended by themselves', who);
        this.ledger.note(`${who} ended by itself (${how})`);
      },
    );
  }

  private values(ports: readonly number[], gatewayUrl: string): Record<string, string> {
    return {
      ...this.ground.values,
      ...Object.fromEntries(SERVICES.map((name, index) => [`${name.toUpperCase()}_PORT`, String(ports[index])])),
      // Each replica gets one of its own in its place.
      ...Object.fromEntries(SERVICES.map((name) => [`${name.toUpperCase()}_METRICS_PORT`, '9464'])),
      POD_TOKEN_SECRET: this.podTokenSecret,
      SECRETS_KEY: 'of-the-faults-suite-and-nobody-else',
      JWT_PUBLIC_KEY_FILE: this.issuer.writePublicKey(this.directory),
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      GATEWAY_URL: gatewayUrl,
    };
  }
}
