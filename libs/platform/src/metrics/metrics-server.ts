import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Metrics } from './metrics';

/**
 * `GET /metrics` on a port of its own (docs/adr/0015): nothing that is done to the service's own port, such as a token, a limit or an ingress,
 * applies to it, and nothing that is open to the world leads to it. Answers until the last of the shutdown, so that draining can be watched.
 */
@Injectable()
export class MetricsServer implements OnApplicationShutdown {
  private readonly logger = new Logger('Metrics');
  private server: Server | undefined;

  constructor(private readonly metrics: Metrics) {}

  /** Begins to answer. Resolves with the port. @throws the operating system's error, such as EADDRINUSE */
  async listen(host: string, port: number): Promise<number> {
    this.metrics.ofProcess();
    const server = createServer((request, response) => void this.answer(request, response));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = (request.url ?? '').split('?', 1);
    if (path !== '/metrics') return void response.writeHead(404).end();
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
    try {
      const text = await this.metrics.text();
      response.writeHead(200, { 'content-type': this.metrics.contentType, 'cache-control': 'no-store' }).end(text);
    } catch (error) {
      this.logger.error({ err: error as Error }, 'The metrics cannot be told');
      response.writeHead(500).end();
    }
  }
}
