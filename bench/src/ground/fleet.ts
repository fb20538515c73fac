import { join } from 'node:path';
import { type Launcher, ROOT, type ServiceName, type State } from './launcher';
import { type Program, ServiceProcess } from './service-process';

/** What stands behind the provisioner's ports: nothing; what does nothing; processes and files. */
export type Pods = 'none' | 'no-op' | 'process';

/** The services whose number does not matter to what is measured, as one of each. */
const ALWAYS = ['billing', 'lifecycle', 'gateway', 'deadletters'] as const;

const SETTINGS: Partial<Record<ServiceName, Record<string, string>>> = {
  // A caller is a tenant here, and sends what a thousand would. The limiter counts all the same.
  gateway: { RATE_LIMIT_PER_MINUTE: '60000', WAITS_PER_CALLER: '5000' },
};
/** The real provisioner with ports behind which nothing happens. Its reconciler would take what no driver has for lost. */
const NO_OP_PROVISIONER = { script: join(ROOT, 'bench/dist/noop/provisioner.js'), settings: { RECONCILE_INTERVAL_SECONDS: '3600' } };

interface Special {
  readonly script: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** The built services as processes, with the settings and the log level that production has by default. */
export class Fleet {
  private readonly running = new Map<string, ServiceProcess>();
  private pods: Pods = 'none';
  private profiles: string | null = null;
  private profiled = 0;

  constructor(
    private readonly launcher: Launcher,
    private readonly state: State,
  ) {}

  /** Services that are started from now on write a processor profile there when they end. */
  profileInto(folder: string): void {
    this.profiles = folder;
  }

  get gatewayUrl(): string {
    return this.service('gateway').url;
  }

  get services(): ServiceProcess[] {
    return [...this.running.values()];
  }

  service(name: string): ServiceProcess {
    const found = this.running.get(name);
    if (!found) throw new Error(`${name} does not run`);
    return found;
  }

  /** Whether there is a provisioner with this behind its ports. */
  has(pods: Pods): boolean {
    return this.pods === pods;
  }

  /** One of each but the provisioner, and that one with this behind its ports. Starts and ends what it takes. */
  async have(pods: Pods): Promise<void> {
    await Promise.all(ALWAYS.map((name) => this.ensure(name, name)));
    if (this.pods === pods) return;
    await this.end('provisioner');
    this.pods = pods;
    if (pods === 'process') await this.ensure('provisioner', 'provisioner');
    if (pods === 'no-op') await this.ensure('provisioner', 'provisioner', NO_OP_PROVISIONER);
  }

  /** So many replicas of lifecycle. @returns whether any of them has just been started */
  async lifecycles(wanted: 1 | 3): Promise<boolean> {
    const others = [2, 3].map((n) => ({ name: `lifecycle_${n}`, kept: n <= wanted }));
    const startsSome = others.some(({ name, kept }) => kept && !this.running.has(name));
    await Promise.all(others.map(({ name, kept }) => (kept ? this.ensure(name, 'lifecycle') : this.end(name))));
    return startsSome;
  }

  /** Ends all of them, so that the next ones begin anew. */
  async stop(): Promise<void> {
    this.pods = 'none';
    const order = ['gateway', 'lifecycle', 'lifecycle_2', 'lifecycle_3', 'provisioner', 'billing', 'deadletters'];
    for (const name of order) await this.end(name);
  }

  private async ensure(name: string, service: ServiceName, special: Partial<Special> = {}): Promise<void> {
    if (this.running.has(name)) return;
    this.running.set(name, await ServiceProcess.start(await this.program(name, service, special)));
  }

  private async end(name: string): Promise<void> {
    const service = this.running.get(name);
    this.running.delete(name);
    await service?.stop();
  }

  private async program(name: string, service: ServiceName, { script, settings }: Partial<Special>): Promise<Program> {
    const [port, metricsPort] = [`${name.toUpperCase()}_PORT`, `${name.toUpperCase()}_METRICS_PORT`];
    await this.launcher.keepPorts(this.state, [port, metricsPort]);
    const { LOG_LEVEL: _ours, ...env } = this.launcher.envOf(this.state, service, 'json');
    return {
      name,
      script: script ?? join(ROOT, 'services', service, 'dist/main.js'),
      nodeOptions: this.profiling(name),
      // By it the launcher finds what a killed run left behind.
      args: [`--instance=${this.state.get('INSTANCE_ID')}`],
      env: { ...env, ...SETTINGS[service], ...settings, HTTP_PORT: this.state.get(port), METRICS_PORT: this.state.get(metricsPort) },
      logFile: this.state.path('logs', `${name}.log`),
      url: `http://127.0.0.1:${this.state.get(port)}`,
      metricsUrl: `http://127.0.0.1:${this.state.get(metricsPort)}/metrics`,
    };
  }

  private profiling(name: string): string[] {
    if (this.profiles === null) return [];
    return ['--cpu-prof', `--cpu-prof-dir=${this.profiles}`, `--cpu-prof-name=${name}-${(this.profiled += 1)}.cpuprofile`];
  }
}
