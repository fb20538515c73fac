import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const REQUESTS = 300;
/** How long a batch waits for the collector here, and the end of a service for its last one. */
const BATCH_MS = 300;

/** A real service that is traced to an address. */
class TracedService {
  output = '';
  private readonly child: ChildProcess;

  constructor(
    private readonly port: number,
    settings: Record<string, string>,
  ) {
    const env = { ...settings, AMQP_URL: 'amqp://localhost', HTTP_PORT: String(port), OTEL_BSP_SCHEDULE_DELAY: '20' };
    this.child = spawn(process.execPath, [join(__dirname, 'traced-service.cjs')], {
      env: { ...env, OTEL_EXPORTER_OTLP_TIMEOUT: String(BATCH_MS) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', (text: Buffer) => (this.output += text.toString()));
  }

  said(words: string): string[] {
    return this.output.split('\n').filter((line) => line.includes(words));
  }

  ready(): Promise<void> {
    return until(() => this.said('"msg":"ready"').length === 1);
  }

  /** One request after the other, each answered well. */
  async ask(count = REQUESTS): Promise<void> {
    for (let i = 0; i < count; i += 1) await this.askFor(String(i));
  }

  async askFor(id: string): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/things/${id}`);
    expect(await answer.json()).toEqual({ id });
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  /** @returns its exit code */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null) {
      this.child.kill(signal);
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((closed) => server.close(closed));
  return port;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !condition(); i += 1) await sleep(20);
  expect(condition()).toBe(true);
}

const servers: Server[] = [];
let service: TracedService | undefined;

afterEach(async () => {
  await service?.end('SIGKILL');
  for (const server of servers.splice(0)) server.close();
});

async function tracedTo(endpoint: string): Promise<TracedService> {
  service = new TracedService(await freePort(), { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  await service.ready();
  return service;
}

describe('a collector that cannot be reached', () => {
  it.each([
    ['refuses', freePort],
    [
      'takes everything and never answers',
      () => {
        const server = createServer((socket) => void socket.resume().on('error', () => undefined));
        servers.push(server);
        return listening(server);
      },
    ],
  ])('that %s slows no request, is told of once, and holds nobody up at the end', async (_, port) => {
    const things = await tracedTo(`http://127.0.0.1:${await port()}`);
    // If each waited for its batch, the test would be over before them.
    await things.ask();
    await until(() => things.said('Traces').length > 0);
    await things.ask();
    expect(things.said('Traces')).toEqual([
      expect.stringMatching(/Traces do not reach http:\/\/127\.0\.0\.1:\d+ and are lost until they do/),
    ]);
    // Not a line of somebody's request, although a request filled the batch.
    expect(things.said('Traces')[0]).not.toContain('trace_id');
    expect(await things.end()).toBe(0);
  });

  it('that comes back is told of once, and gets what follows to the last span', async () => {
    const bodies: Buffer[] = [];
    let well = false;
    const collector = createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (well) bodies.push(...chunks);
        response.writeHead(well ? 200 : 400).end();
      });
    });
    servers.push(collector);
    const things = await tracedTo(`http://127.0.0.1:${await listening(collector)}`);
    await things.ask(1);
    await until(() => things.said('Traces do not reach').length === 1);
    well = true;
    await things.ask(1);
    await until(() => things.said('again').length === 1);
    await things.askFor('last-one');
    expect(await things.end()).toBe(0);
    expect(Buffer.concat(bodies).toString('latin1')).toContain('/things/last-one');
    collector.closeAllConnections();
  });
});

describe('a setting of tracing that is wrong', () => {
  it('keeps the service from starting, with one line that says why', async () => {
    service = new TracedService(await freePort(), { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318', OTEL_TRACES_SAMPLER_ARG: '2' });
    await until(() => service!.exitCode !== null);
    expect(service.output.trim().split('\n')).toEqual([
      'things: OTEL_EXPORTER_OTLP_ENDPOINT must be a URL starting with http:// or https:// (got "collector:4318")',
      'things: OTEL_TRACES_SAMPLER_ARG must be a number between 0 and 1 (got "2")',
    ]);
    expect(service.exitCode).toBe(1);
  });
});
