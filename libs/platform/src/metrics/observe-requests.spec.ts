import { Controller, Get, HttpException, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { httpAdapter } from '../bootstrap/http-adapter';
import { createLogger } from '../logging/logger';
import { Metrics } from './metrics';
import { MetricsServer } from './metrics-server';
import { observeRequests } from './observe-requests';

@Controller('things')
class ThingsController {
  @Get(':id')
  one(@Param('id') id: string): { id: string } {
    if (id === 'none') throw new HttpException('none', 409);
    return { id };
  }
}

@Module({ controllers: [ThingsController], providers: [Metrics, MetricsServer] })
class ThingsModule {}

describe('the metrics of a service with routes', () => {
  let app: NestFastifyApplication;
  let url: string;
  let metricsUrl: string;

  beforeAll(async () => {
    const logger = createLogger({ name: 'things', level: 'silent', format: 'json' });
    app = await NestFactory.create<NestFastifyApplication>(ThingsModule, httpAdapter(logger), { logger: false });
    observeRequests(app);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    metricsUrl = `http://127.0.0.1:${await app.get(MetricsServer).listen('127.0.0.1', 0)}`;
  });
  afterAll(() => app.close());

  /** The numbers of requests, once there are so many: they are counted when the answer is out, which the client may see first. */
  async function counted(requests: number): Promise<string[]> {
    for (let tries = 0; ; tries += 1) {
      const lines = (await (await fetch(`${metricsUrl}/metrics`)).text())
        .split('\n')
        .filter((line) => line.startsWith('http_server_request_duration_seconds_count'))
        .map((line) => line.slice('http_server_request_duration_seconds_count'.length));
      const sum = lines.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
      if (sum >= requests || tries > 200) return lines.sort();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it('count requests by route template and status, and every path without a route as one', async () => {
    for (const path of ['/things/1', '/things/2', '/things/none', '/nothing', `/x/${'y'.repeat(50)}?z=1`, '/things/1/2'])
      await fetch(url + path);
    await fetch(`${url}/things/1`, { method: 'DELETE' });
    expect(await counted(7)).toEqual([
      '{method="DELETE",route="unmatched",status_code="404"} 1',
      '{method="GET",route="/things/:id",status_code="200"} 2',
      '{method="GET",route="/things/:id",status_code="409"} 1',
      '{method="GET",route="unmatched",status_code="404"} 3',
    ]);
  });

  it('are not on the port of the service, and nothing else is on theirs', async () => {
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/things/1`)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('come with those of the process, in the format that Prometheus reads', async () => {
    const answer = await fetch(`${metricsUrl}/metrics`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const text = await answer.text();
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds']) {
      expect(text).toContain(`\n${name} `);
    }
  });
});
