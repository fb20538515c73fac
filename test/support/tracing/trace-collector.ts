import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../eventually';
import { SERVICES, type ServiceName } from '../settings';
import { type Span, spansOf } from './otlp';
import { SpanTree } from './span-tree';

/** How long spans lie in a service before they are told, in these scenarios. */
const DELAY_MS = 100;

/** A collector of OpenTelemetry over HTTP, real as far as traces go. */
export class TraceCollector {
  /** What the services are told, once it listens. */
  readonly settings: Partial<Record<ServiceName, Record<string, string>>> = {};
  private readonly spans: Span[] = [];
  private server: Server | undefined;

  async listen(): Promise<void> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const known = request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf';
        if (known) this.spans.push(...spansOf(Buffer.concat(chunks)));
        response.writeHead(known ? 200 : 400, { 'content-type': 'application/x-protobuf' }).end();
      });
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const { port } = this.server.address() as AddressInfo;
    const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: String(DELAY_MS) };
    for (const service of SERVICES) this.settings[service] = settings;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((closed) => this.server?.close(closed) ?? closed(undefined));
    this.server = undefined;
  }

  /**
   * The trace of the request that began this operation, once everything that is expected of it has come and nothing more comes.
   * @param complete throws while something lacks
   */
  async traceOf(operationId: string, complete: (tree: SpanTree) => void): Promise<SpanTree> {
    let before = -1;
    return eventually(
      () => {
        const request = this.spans.find(({ kind, attributes }) => kind === 'server' && attributes['reprise.operation.id'] === operationId);
        if (!request) throw new Error(`No request began ${operationId}`);
        const tree = new SpanTree(this.spans.filter(({ traceId }) => traceId === request.traceId));
        complete(tree);
        const grown = tree.spans.length - before;
        before = tree.spans.length;
        if (grown !== 0) throw new Error(`${grown} more spans came`);
        return tree;
      },
      { within: 20_000, every: DELAY_MS * 5 },
    );
  }

  /** Every word that the services have told, for whoever looks for one that must not be there. */
  get told(): string {
    return JSON.stringify(this.spans, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  }
}
