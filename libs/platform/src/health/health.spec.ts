import { ConsoleLogger } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { HealthModule } from './health.module';
import { type HealthIndicator } from './indicator';
import { ReadinessGate } from './readiness-gate';

interface Answer {
  readonly code: number;
  readonly body: { status: string; details?: Record<string, { status: string; message?: string }> };
}

describe('the health routes', () => {
  let app: NestFastifyApplication;
  const failures = new Map<string, Error>();
  const indicator = (name: string): HealthIndicator => ({
    name,
    check: () => (failures.has(name) ? Promise.reject(failures.get(name)!) : Promise.resolve()),
  });

  async function start(indicators: readonly HealthIndicator[]): Promise<void> {
    const imports = [HealthModule.forRootAsync({ useFactory: () => indicators })];
    const testing = await Test.createTestingModule({ imports })
      .setLogger(new ConsoleLogger({ logLevels: [] }))
      .compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  }

  async function ask(path: 'live' | 'ready'): Promise<Answer> {
    const answer = await app.inject({ method: 'GET', url: `/health/${path}` });
    expect(answer.headers['cache-control']).toBe('no-store');
    return { code: answer.statusCode, body: answer.json() };
  }

  afterEach(async () => {
    failures.clear();
    await app.close();
  });

  it('is ready when everything that it depends on is well', async () => {
    await start([indicator('database'), indicator('broker')]);
    expect(await ask('ready')).toMatchObject({
      code: 200,
      body: { status: 'ok', details: { database: { status: 'up' }, broker: { status: 'up' } } },
    });
  });

  it('is not ready, and says which dependency fails, but not why', async () => {
    await start([indicator('database'), indicator('broker')]);
    failures.set('broker', new Error('refused by 10.0.0.7'));
    const { code, body } = await ask('ready');
    expect(code).toBe(503);
    expect(body).toMatchObject({ status: 'error', details: { database: { status: 'up' }, broker: { status: 'down' } } });
    expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  });

  it('is ready again when the dependency is back', async () => {
    await start([indicator('database')]);
    failures.set('database', new Error('gone'));
    expect((await ask('ready')).code).toBe(503);
    failures.clear();
    expect((await ask('ready')).code).toBe(200);
  });

  it('lives while all that it depends on is lost', async () => {
    await start([indicator('database')]);
    failures.set('database', new Error('gone'));
    expect(await ask('live')).toEqual({ code: 200, body: { status: 'ok' } });
  });

  it('does not wait for a check that hangs, nor start it a second time', async () => {
    let started = 0;
    const hanging: HealthIndicator = {
      name: 'database',
      check: () => {
        started += 1;
        return new Promise(() => undefined);
      },
    };
    await start([hanging]);
    const answers = await Promise.all([ask('ready'), ask('ready')]);
    expect(answers.map(({ code }) => code)).toEqual([503, 503]);
    expect(started).toBe(1);
  });

  it('survives a check that throws before it returns', async () => {
    await start([
      {
        name: 'broker',
        check: () => {
          throw new Error('at once');
        },
      },
    ]);
    expect((await ask('ready')).code).toBe(503);
  });

  it('is not ready before its start is complete', async () => {
    await start([]);
    const gate = app.get(ReadinessGate, { strict: false });
    gate.hold();
    expect(await ask('ready')).toMatchObject({ code: 503, body: { details: { process: { status: 'down', message: 'starting' } } } });
    gate.open();
    expect((await ask('ready')).code).toBe(200);
  });

  it('is not ready as soon as it has been told to stop, and cannot be opened again', async () => {
    await start([]);
    const gate = app.get(ReadinessGate, { strict: false });
    gate.close();
    gate.open();
    expect(await ask('ready')).toMatchObject({ code: 503, body: { details: { process: { message: 'stopping' } } } });
  });
});
