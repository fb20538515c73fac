import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfiguredCluster, type ClusterAccess } from '../../../src/pods/kubernetes/cluster-access';

export interface Request {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly isWatch: boolean;
}

/** What becomes of a request: an answer in the API's place, silence, a cut, or null for the API's own answer. */
export type Mischief = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: object } | 'hangs' | 'is cut' | null;

/** The real API behind a connection that can be made to misbehave. */
export class FaultyProxy {
  private readonly server: Server;
  private readonly watches = new Set<ServerResponse>();
  private port = 0;
  /** Every request that came, as `GET /path`. */
  readonly seen: string[] = [];
  mischief: (request: Request) => Mischief = () => null;

  constructor(private readonly cluster: ClusterAccess) {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(this.port, '127.0.0.1', done));
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Nobody listens any more, and every connection is cut, as of an API server that restarts. */
  async stop(): Promise<void> {
    this.cutWatches();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  /** For whoever is to believe that this is the API. */
  get access(): ClusterAccess {
    const server = new URL(`http://127.0.0.1:${this.port}`);
    return { server, begin: (url, options) => this.plain.begin(url, options) };
  }

  cutWatches(): void {
    for (const watch of this.watches) watch.destroy();
  }

  /** The API tells every watch that it no longer knows where that one was. */
  expireWatches(): void {
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    for (const watch of this.watches) watch.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
  }

  get openWatches(): number {
    return this.watches.size;
  }

  private readonly plain = new ConfiguredCluster({
    getCurrentCluster: () => ({ name: 'faulty', server: 'http://127.0.0.1', skipTLSVerify: true }),
    applyToHTTPSOptions: () => Promise.resolve(),
  } as unknown as ConstructorParameters<typeof ConfiguredCluster>[0]);

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!;
    const isWatch = path.includes('watch=true');
    this.seen.push(`${request.method} ${path}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const mischief = this.mischief({ method: request.method!, path, isWatch });
    if (mischief === 'hangs') return;
    if (mischief === 'is cut') return void response.destroy();
    if (mischief !== null) {
      response.writeHead(mischief.status, { 'content-type': 'application/json', ...mischief.headers });
      return void response.end(JSON.stringify(mischief.body ?? {}));
    }
    await this.forward(request, Buffer.concat(chunks), response, isWatch);
  }

  private async forward(request: IncomingMessage, body: Buffer, response: ServerResponse, isWatch: boolean): Promise<void> {
    const cut = new AbortController();
    response.once('close', () => cut.abort());
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body.length > 0) Object.assign(headers, { 'content-type': request.headers['content-type'], 'content-length': String(body.length) });
    const url = new URL(this.cluster.server.href.replace(/\/$/, '') + request.url!);
    const upstream = await this.cluster.begin(url, { method: request.method!, headers, signal: cut.signal });
    upstream.on('error', () => response.destroy());
    upstream.once('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      response.flushHeaders();
      answer.on('error', () => response.destroy());
      answer.pipe(response);
      if (isWatch) this.watches.add(response);
      response.once('close', () => this.watches.delete(response));
    });
    upstream.end(body);
  }
}
