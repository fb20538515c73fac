import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { EchoSettings } from './transport';

/**
 * Bare Nest: HTTP, a question over RabbitMQ, its answer, HTTP. Two processes, on the HTTP adapter that the gateway stands on, and on Nest's own RabbitMQ
 * transport.
 */
export class Echo {
  private constructor(
    readonly url: string,
    private readonly children: readonly ChildProcess[],
  ) {}

  /**
   * @param options.noDelay false: as the transport comes, with Nagle's algorithm at work on both sides
   * @param options.acknowledging false: as the transport comes, a question is forgotten by the broker when it is sent
   */
  static async start(amqpUrl: string, options: Omit<EchoSettings, 'amqpUrl' | 'queue'>): Promise<Echo> {
    const settings: EchoSettings = { amqpUrl, queue: `bench.echo.${randomBytes(4).toString('hex')}`, ...options };
    const env = { PATH: process.env.PATH, NODE_ENV: 'production', ECHO: JSON.stringify(settings) };
    const half = (name: string): ChildProcess => fork(join(__dirname, `${name}.js`), { env, detached: true });
    const service = half('echo-service');
    await once(service, 'message');
    const front = half('echo-front');
    const [port] = (await once(front, 'message')) as [number];
    return new Echo(`http://127.0.0.1:${port}`, [front, service]);
  }

  async stop(): Promise<void> {
    for (const child of this.children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }
}
