import { Global, type DynamicModule, Module, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Test, type TestingModule } from '@nestjs/testing';
import { AmqpConnection, Inbox, Outbox, OutboxRelay } from '@reprise/messaging';
import { PlatformModule } from '@reprise/platform';
import { JobsRepository, type LeaseKey } from '../../../src/jobs/jobs.repository';
import type { Advance } from '../../../src/jobs/transition';
import { AgentClient } from '../../../src/pods/agent-client';
import { PodKeys } from '../../../src/pods/pod-keys';
import type { PodDriver } from '../../../src/pods/pod-driver';
import { CONNECT_AGENT, type ConnectAgent, POD_DRIVER, SNAPSHOT_STORE, TRANSFERS } from '../../../src/ports/tokens';
import type { ProvisionerConfig } from '../../../src/provisioner.config';
import { ProvisionerModule } from '../../../src/provisioner.module';
import { snapshotLimits } from '../../../src/snapshot-store.config';
import type { SnapshotStore } from '../../../src/snapshots/snapshot-store';
import { LocalTransfers } from '../../../src/transfers/local-transfers';
import type { World } from './world';

export interface ReplicaOptions {
  env?: NodeJS.ProcessEnv;
  driver?: PodDriver;
  store?: SnapshotStore;
  /** Asked before and after each move of a job is written; where true, the job's worker is dead from there on. */
  dies?: (advance: Advance, when: 'before' | 'after') => boolean;
  /** Hangs from its first moment on: it never claims anything. */
  hangs?: boolean;
}

/** Jobs as a process sees them that can die between any two of its statements. Its death is per job, so that one replica can die many deaths. */
class MortalJobs extends JobsRepository {
  dies: ReplicaOptions['dies'];
  readonly died = new Set<string>();
  hangs = false;

  private end: () => void = () => undefined;
  /** What a dead process says: nothing, until its remains are cleared away. */
  private readonly silence = new Promise<never>((_, reject) => (this.end = () => reject(new Error('killed'))));

  bury(): void {
    this.hangs = true;
    this.silence.catch(() => undefined);
    this.end();
  }

  override claim(...given: Parameters<JobsRepository['claim']>) {
    return this.hangs ? Promise.resolve([]) : super.claim(...given);
  }

  override async advance(advance: Advance, worker: string, leaseMs: number) {
    if (this.isDead(advance, 'before')) return this.silence;
    const written = await super.advance(advance, worker, leaseMs);
    return this.isDead(advance, 'after') ? this.silence : written;
  }

  override async heartbeat(leases: readonly LeaseKey[], leaseMs: number) {
    if (this.hangs) return this.silence;
    const [alive, dead] = [false, true].map((is) => leases.filter(({ id }) => this.died.has(id) === is));
    // The dead are not told that they are: their runs hang as they are.
    return [...(await super.heartbeat(alive!, leaseMs)), ...dead!];
  }

  private isDead(advance: Advance, when: 'before' | 'after'): boolean {
    const { id } = advance.job;
    if (this.dies?.(advance, when)) this.died.add(id);
    return this.hangs || this.died.has(id);
  }
}

/** One process of the service, without its HTTP and its broker: what it would publish stays in the outbox, where the tests read it. */
export class Replica {
  private constructor(
    private readonly module: TestingModule,
    readonly jobs: MortalJobs,
  ) {}

  static async start(world: World, options: ReplicaOptions = {}): Promise<Replica> {
    const config = world.config(options.env);
    const module = await Test.createTestingModule({
      imports: [PlatformModule.forRoot({ config }), ProvisionerModule.forRoot(config, portsOf(world, options, config))],
    })
      .overrideProvider(OutboxRelay)
      .useValue({ start: () => undefined, stop: () => undefined, wake: () => undefined })
      .overrideProvider(JobsRepository)
      .useFactory({
        inject: [getDataSourceToken(), Inbox, Outbox, OutboxRelay] as never,
        factory: (...given: ConstructorParameters<typeof JobsRepository>) => new MortalJobs(...given),
      })
      .setLogger(process.env.TEST_LOG ? console : { log: () => undefined, warn: () => undefined, error: () => undefined })
      .compile();
    const jobs = module.get<MortalJobs>(JobsRepository);
    jobs.dies = options.dies;
    jobs.hangs = options.hangs ?? false;
    await module.init().catch(async (error: unknown) => {
      // Nest closes nothing of what has not come up; in the product the process ends then.
      await module.get(AmqpConnection, { strict: false }).close();
      await module.get<DataSource>(getDataSourceToken()).destroy();
      throw error;
    });
    return new Replica(module, jobs);
  }

  get<T>(type: Type<T>): T {
    return this.module.get(type, { strict: false });
  }

  /** SIGTERM. */
  stop(): Promise<void> {
    return this.module.close();
  }

  /** SIGSTOP: from here on it claims, writes and prolongs nothing; the step in hand goes on, as one in another thread would. */
  hang(): void {
    this.jobs.hangs = true;
  }

  /** SIGKILL, as far as this can be done to a part of a process: nothing more is claimed, written or prolonged. */
  async kill(): Promise<void> {
    this.jobs.bury();
    await this.module.close();
  }
}

function portsOf(world: World, options: ReplicaOptions, config: ProvisionerConfig): DynamicModule {
  const keys = new PodKeys(config.podTokenSecret, config.podTokenSecretPrevious);
  const connect: ConnectAgent = (pod) => new AgentClient({ address: pod.address, credentials: keys.credentials(pod) });
  const store = options.store ?? world.store;
  const providers = [
    { provide: POD_DRIVER, useValue: options.driver ?? world.driver },
    { provide: SNAPSHOT_STORE, useValue: store },
    { provide: TRANSFERS, useValue: new LocalTransfers(connect, store, snapshotLimits(config)) },
    { provide: CONNECT_AGENT, useValue: connect },
  ];
  return { module: TestPorts, providers, exports: providers };
}

@Global()
@Module({})
class TestPorts {}
