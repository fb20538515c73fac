import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Broker } from './broker';
import { Callers, TENANTS } from './callers';
import { Database } from './database';
import { Fleet } from './fleet';
import { type Launcher, type Progress, ROOT, type State } from './launcher';
import { tenantsSql } from './seed';
import { StatementCounter } from './statement-counter';
import { Worlds } from './worlds';

const FOLDER = join(ROOT, '.reprise', 'bench');

/** What a run makes in it, besides its logs. Each run begins with nothing: a database that has been measured on is not what it was. */
const MADE = ['env', 'postgres', 'rabbitmq', 'keys', 'pods', 'snapshots', 'work'];

/** Everything that is measured on: PostgreSQL and RabbitMQ of the benchmark's own, which keep what they were told as in production, and the services. */
export class Ground {
  private readonly lock: { release: (() => void) | null };
  private readonly closing: (() => Promise<unknown>)[] = [];

  private constructor(
    private readonly launcher: Launcher,
    readonly state: State,
    lock: { release: (() => void) | null },
  ) {
    this.lock = lock;
  }

  /** Takes the benchmark's folder, and ends what a killed run has left in it. @throws Error where one runs already */
  static async take(launcher: Launcher): Promise<Ground> {
    const old = new launcher.State(FOLDER);
    const lock = launcher.takeLock(old.path('lock'), 'npm run bench');
    if (!lock.release) throw new Error(`the benchmark runs already in this checkout (pid ${lock.holder?.pid})`);
    await launcher.stopStrayServices(old);
    await endServers(launcher, old);
    remove(old, [...MADE, 'logs']);
    return new Ground(launcher, new launcher.State(FOLDER), lock);
  }

  /** @param counting whether PostgreSQL counts statements, which costs */
  async bringUp(progress: Progress, counting: boolean) {
    const { launcher, state } = this;
    await launcher.decide(state);
    await launcher.bringUp(state, progress, {
      packages: 'all',
      // As in production: what is confirmed is on the disk.
      durable: true,
      given: {},
      prepare: {
        database: async () => {
          await launcher.setUp(state, 'database');
          await launcher.migrate(state);
        },
        broker: () => launcher.setUp(state, 'broker'),
      },
    });
    if (counting) await this.restartCounting();
    const database = this.closed(new Database(state.get('DATABASE_URL')));
    const broker = this.closed(await Broker.open(state.get('AMQP_URL'), state.get('AMQP_VHOST')));
    await database.run(tenantsSql(TENANTS));
    const fleet = new Fleet(launcher, state);
    this.closing.unshift(() => fleet.stop());
    return { state, database, broker, fleet, callers: new Callers(state), worlds: new Worlds(database, broker, launcher, state) };
  }

  private async restartCounting(): Promise<void> {
    const { launcher, state } = this;
    const database = new Database(state.get('DATABASE_URL'));
    await database.run(StatementCounter.preload);
    await database.close();
    await launcher.stopDatabase(state);
    await launcher.startDatabase(state, { durable: true });
  }

  /** Ends everything, and takes away all but the logs; safe after any part of it failed. */
  async end(): Promise<void> {
    const { launcher, state } = this;
    for (const close of this.closing) await close().catch(() => undefined);
    await endServers(launcher, state);
    remove(state, MADE);
    this.lock.release?.();
  }

  private closed<T extends { close(): Promise<unknown> }>(connection: T): T {
    this.closing.push(() => connection.close());
    return connection;
  }
}

async function endServers(launcher: Launcher, state: State): Promise<void> {
  await launcher.removePods(state);
  await Promise.all([launcher.stopBroker(state, { durable: false }), launcher.stopDatabase(state)]);
}

function remove(state: State, names: readonly string[]): void {
  for (const name of names) rmSync(state.path(name), { recursive: true, force: true, maxRetries: 5 });
}
