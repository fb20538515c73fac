import { Global, type DynamicModule, Module, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Test, type TestingModule } from '@nestjs/testing';
import { podToken } from '@reprise/contracts';
import { Inbox, Outbox, OutboxRelay } from '@reprise/messaging';
import { PlatformModule } from '@reprise/platform';
import { JobsRepository } from '../../../src/jobs/jobs.repository';
import type { Advance } from '../../../src/jobs/transition';
import { AgentClient } from '../../../src/pods/agent-client';
import type { PodDriver } from '../../../src/pods/pod-driver';
import { CONNECT_AGENT, type ConnectAgent, POD_DRIVER, SNAPSHOT_STORE } from '../../../src/ports/tokens';
import type { ProvisionerConfig } from '../../../src/provisioner.config';
import { ProvisionerModule } from '../../../src/provisioner.module';
import type { SnapshotStore } from '../../../src/snapshots/snapshot-store';
import { Worker } from '../../../src/worker/worker';
import type { World } from './world';

export interface ReplicaOptions {
  env?: NodeJS.ProcessEnv;
  driver?: PodDriver;
  store?: SnapshotStore;
  /** Called before and after each move of a job is written; true there and then is a `kill -9` of this replica. */
  dies?: (advance: Advance, when: 'before' | 'after') => boolean;
  /** Awaited before each heartbeat: what never resolves is a process that hangs. */
  beforeHeartbeat?: () => Promise<void>;
}

const NEVER = new Promise<never>(() => undefined);

/** Jobs as a process sees them that may be killed between any two of its statements. */
class MortalJobs extends JobsRepository {
  options: ReplicaOptions = {};
  dead = false;

  override async claim(worker: string, limit: number, leaseMs: number) {
    return this.dead ? [] : super.claim(worker, limit, leaseMs);
  }

  override async advance(advance: Advance, worker: string, leaseMs: number) {
    if (await this.die(advance, 'before')) return NEVER;
    const written = await super.advance(advance, worker, leaseMs);
    if (await this.die(advance, 'after')) return NEVER;
    return written;
  }

  override async heartbeat(leases: readonly { id: string; epoch: number }[], leaseMs: number) {
    await this.options.beforeHeartbeat?.();
    return this.dead ? NEVER : super.heartbeat(leases, leaseMs);
  }

  private die(advance: Advance, when: 'before' | 'after'): Promise<boolean> {
    this.dead ||= this.options.dies?.(advance, when) ?? false;
    return Promise.resolve(this.dead);
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
      .setLogger(process.env.TEST_LOG ? console : (false as never))
      .compile();
    const jobs = module.get<MortalJobs>(JobsRepository);
    jobs.options = options;
    await module.init();
    return new Replica(module, jobs);
  }

  get<T>(type: Type<T>): T {
    return this.module.get(type, { strict: false });
  }

  /** SIGTERM. */
  stop(): Promise<void> {
    return this.module.close();
  }

  /** SIGKILL, as far as this can be done to a part of a process: nothing more is claimed, written or prolonged. */
  async kill(): Promise<void> {
    this.jobs.dead = true;
    this.get(Worker).abandon();
    await this.module.close();
  }
}

function portsOf(world: World, options: ReplicaOptions, { podTokenSecret }: ProvisionerConfig): DynamicModule {
  const connect: ConnectAgent = (pod) => new AgentClient({ address: pod.address, token: podToken(podTokenSecret, pod) });
  const providers = [
    { provide: POD_DRIVER, useValue: options.driver ?? world.driver },
    { provide: SNAPSHOT_STORE, useValue: options.store ?? world.store },
    { provide: CONNECT_AGENT, useValue: connect },
  ];
  return { module: TestPorts, providers, exports: providers };
}

@Global()
@Module({})
class TestPorts {}
