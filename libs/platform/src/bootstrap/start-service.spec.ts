import { type AddressInfo, createServer } from 'node:net';
import { Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../clock/clock';
import { ServiceConfig } from '../config/service.config';
import { HealthModule } from '../health/health.module';
import { startService, type TransportStrategy } from './start-service';

class SampleConfig extends ServiceConfig {}

const order: string[] = [];
let finish: () => void = () => undefined;

@Injectable()
class Work implements OnApplicationShutdown {
  constructor(
    readonly config: SampleConfig,
    readonly base: ServiceConfig,
    readonly clock: Clock,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    order.push('drain');
    await new Promise<void>((resolve) => (finish = resolve));
  }

  onApplicationShutdown(): void {
    order.push('let go');
  }
}

@Module({ imports: [HealthModule.forRoot({ indicators: [] })], providers: [Work] })
class SampleModule {}

function configWith(values: Partial<ServiceConfig>): SampleConfig {
  const defaults = {
    httpHost: '127.0.0.1',
    httpPort: 0,
    metricsHost: '127.0.0.1',
    metricsPort: 0,
    logLevel: 'silent',
    logFormat: 'json',
    shutdownTimeoutSeconds: 600,
  };
  return Object.assign(new SampleConfig(), { ...defaults, ...values });
}

class Exit extends Error {}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('startService', () => {
  const codes: unknown[] = [];
  let exit: jest.SpyInstance;

  beforeEach(() => {
    order.length = 0;
    codes.length = 0;
    exit = jest.spyOn(process, 'exit').mockImplementation((code) => {
      codes.push(code);
      return undefined as never;
    });
  });

  afterEach(() => {
    exit.mockRestore();
    for (const event of ['SIGTERM', 'SIGINT', 'uncaughtException', 'unhandledRejection']) process.removeAllListeners(event);
  });

  it('is ready last, not ready as soon as it is told to stop, drains, lets go, and exits with 0', async () => {
    let strategyTold: () => void = () => undefined;
    const strategy: TransportStrategy = {
      listen: (callback) => {
        order.push('strategy listens');
        strategyTold = () => void callback();
      },
      close: () => void order.push('strategy closes'),
    };
    const starting = startService({
      name: 'sample',
      module: SampleModule,
      config: configWith({ httpPort: await freePort() }),
      configure: () => void order.push('configure'),
      strategy: () => strategy,
    });
    await until(() => order.includes('strategy listens'));
    strategyTold();
    const app = await starting;
    const url = await app.getUrl();
    const ready = async () => (await fetch(`${url}/health/ready`)).status;
    expect(await ready()).toBe(200);
    const work = app.get(Work, { strict: false });
    expect(work.config).toBe(work.base);
    expect(work.clock).toBeInstanceOf(Clock);

    process.emit('SIGTERM', 'SIGTERM');
    await until(() => order.includes('drain'));
    expect(await ready()).toBe(503);
    expect(codes).toEqual([]);
    finish();
    await until(() => codes.length > 0);
    expect(codes).toEqual([0]);
    expect(order).toEqual(['configure', 'strategy listens', 'drain', 'strategy closes', 'let go']);
  });

  it('exits with 1 when work in hand does not finish in time', async () => {
    await startService({ name: 'sample', module: SampleModule, config: configWith({ shutdownTimeoutSeconds: 0.2 }) });
    process.emit('SIGTERM', 'SIGTERM');
    await until(() => codes.length > 0);
    expect(codes).toEqual([1]);
    finish();
    await until(() => codes.length > 1);
  });

  it('exits with 1 when its port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    exit.mockImplementation((code) => {
      codes.push(code);
      throw new Exit();
    });
    const { port } = taken.address() as AddressInfo;
    await expect(startService({ name: 'sample', module: SampleModule, config: configWith({ httpPort: port }) })).rejects.toThrow(Exit);
    expect(codes).toEqual([1]);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('exits with 1 when a dependency cannot be provided', async () => {
    @Injectable()
    class Lonely {
      constructor(@Inject('nobody') readonly nobody: unknown) {}
    }
    @Module({ imports: [SampleModule], providers: [Lonely] })
    class LonelyModule {}
    exit.mockImplementation((code) => {
      codes.push(code);
      throw new Exit();
    });
    await expect(startService({ name: 'sample', module: LonelyModule, config: configWith({}) })).rejects.toThrow(Exit);
    expect(codes).toEqual([1]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
