import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Broker } from './broker';
import type { Database } from './database';
import { type Launcher, ROOT, type State } from './launcher';
import { refusingOf, type Seed, seedSql } from './seed';
import { until } from './until';

const SETTLED_WITHIN_MS = 60_000;

/** One seeded database of lifecycle: a schema, which is lifecycle's as long as it is entered and stands aside under another name else. */
export class World {
  constructor(
    readonly name: string,
    readonly seed: Seed,
  ) {}

  /** Where the busy ones begin, by number; the archived ones come behind them. */
  get refusing(): { busyFrom: number; archivedFrom: number; of: number } {
    const of = refusingOf(this.seed);
    return { busyFrom: this.seed.workspaces, archivedFrom: this.seed.workspaces + of, of };
  }
}

/**
 * The databases of different sizes that rows measure on. Schemas are put in each other's place by their names, in a moment, so that two sizes can be
 * measured in turns by the same processes.
 */
export class Worlds {
  private current: World | null = null;
  private readonly made = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly broker: Broker,
    private readonly launcher: Launcher,
    private readonly state: State,
  ) {}

  /** Makes it lifecycle's database, seeding it the first time, as it was seeded: all that moved is at rest again. */
  async enter(world: World): Promise<void> {
    if (this.current?.name !== world.name) {
      if (this.current) await this.settle();
      await this.putAside();
      this.current = world;
      if (this.made.has(world.name)) await this.database.run(`ALTER SCHEMA "world ${world.name}" RENAME TO lifecycle`);
      else {
        await this.make(world);
        await this.seed(world, 'lifecycle');
      }
    }
    await this.rest();
  }

  /**
   * Makes it beside the one that is entered. Call it while no service runs: for a moment the database is another one.
   * @returns seeds it, whatever runs meanwhile
   */
  async prepare(world: World): Promise<() => Promise<void>> {
    const aside = `"world ${world.name}"`;
    await this.putAside();
    await this.make(world);
    await this.database.run(`ALTER SCHEMA lifecycle RENAME TO ${aside}; ALTER SCHEMA ${this.aside} RENAME TO lifecycle`);
    return () => this.seed(world, aside);
  }

  /** Ends what was accepted, and takes what was sent for it out of the queues. Call it when nothing more is asked. */
  async rest(): Promise<void> {
    await this.settle();
    await this.database.run(`
      BEGIN;
      UPDATE lifecycle.operations SET status = 'succeeded', finished_at = now(), pod_command = NULL WHERE status IN ('pending', 'running');
      UPDATE lifecycle.workspaces SET status = 'idle', idle_since = now(), operation_id = NULL WHERE status IN ('stopping', 'provisioning');
      COMMIT`);
    await this.database.run('VACUUM lifecycle.workspaces');
    await this.database.run('VACUUM lifecycle.operations');
  }

  /** Takes away all that the provisioner knows, its jobs and records; call it while none runs. */
  async forgetJobs(): Promise<void> {
    await this.broker.purge('provisioner.commands');
    await this.database.run(
      'TRUNCATE provisioner.jobs, provisioner.job_steps, provisioner.fences, provisioner.pods, provisioner.snapshots, provisioner.outbox, provisioner.inbox',
    );
  }

  /** Everything that was to be sent is sent, and nobody is to be asked for it any more. */
  private async settle(): Promise<void> {
    await until('the outbox is empty', async () => (await this.waiting()) === 0, { limitMs: SETTLED_WITHIN_MS });
    await this.broker.purge('provisioner.commands');
  }

  private async waiting(): Promise<number> {
    return (await this.database.row<{ count: number }>('SELECT count(*)::int AS count FROM lifecycle.outbox')).count;
  }

  /** What the one that is entered is called while it is not. Lifecycle's first schema is made with the instance, and empty. */
  private get aside(): string {
    return `"world ${this.current?.name ?? 'empty'}"`;
  }

  private async putAside(): Promise<void> {
    await this.database.run(`ALTER SCHEMA lifecycle RENAME TO ${this.aside}`);
  }

  private async make(world: World): Promise<void> {
    this.made.add(world.name);
    await this.database.run('CREATE SCHEMA lifecycle AUTHORIZATION reprise_lifecycle');
    const env = this.launcher.migrationEnv('lifecycle', { values: this.state.values, stateDir: this.state.dir });
    await promisify(execFile)(process.execPath, [join(ROOT, 'services/lifecycle/dist/migrate.js')], { env });
  }

  private async seed(world: World, schema: string): Promise<void> {
    await this.database.run(`BEGIN; ${seedSql(world.seed, schema)} COMMIT`);
    await this.database.run('VACUUM (ANALYZE)');
    await this.database.run('CHECKPOINT');
  }
}
