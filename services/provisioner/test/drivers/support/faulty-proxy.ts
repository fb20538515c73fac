import { EventEmitter, once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest, type RequestOptions as SecureOptions } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong with a request on its way to an API and back. */
export type Trouble =
  /** It takes so long, and then goes well. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** It waits until other trouble is made, or none, and then goes well. */
  | { readonly kind: 'held' }
  /** It is answered with this status, and never seen by the API. */
  | { readonly kind: 'status'; readonly status: number }
  /** It is answered with this text, and never seen by the API. */
  | { readonly kind: 'answer'; readonly text: string }
  /** It is never answered, and never seen by the API. */
  | { readonly kind: 'hang' }
  /** The API does what was asked, and its answer never comes. */
  | { readonly kind: 'lost' }
  /** The API does what was asked, and the connection breaks in the middle of its answer. */
  | { readonly kind: 'cut' };

/** Which requests it meets; all of them where nothing is said. */
export type Meets = (request: Asked) => boolean;

interface Asked {
  readonly method: string;
  readonly path: string;
}

/** What an API that is in trouble says of itself. */
export const WORDS = 'trouble in the engine room';

/** Stands before an API over HTTP, and gives the requests to it the trouble that a test asks for. */
export class FaultyProxy {
  private trouble: { what: Trouble; meets: Meets } | null = null;
  private readonly made = new EventEmitter();
  private readonly underWay = new Map<Asked, ServerResponse>();
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  /** @param upstream how the API is reached; with `protocol: 'https:'`, by TLS */
  constructor(private readonly upstream: RequestOptions & SecureOptions) {
    this.server = createServer((request, response) => void this.serve(request, response).catch(() => response.destroy()));
    // Longer than any client keeps a connection for its next request: none is closed under a request that is on its way.
    this.server.keepAliveTimeout = 120_000;
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** Listens on a port of this machine, or on a socket. */
  async listen(path?: string): Promise<void> {
    if (path === undefined) this.server.listen(0, '127.0.0.1');
    else this.server.listen(path);
    await once(this.server, 'listening');
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  /** From now on; null lets everything through, but for what hangs already. */
  make(what: Trouble | null, meets: Meets = () => true): void {
    this.trouble = what && { what, meets };
    this.made.emit('trouble');
  }

  /** Whether such a request is under way: asked, and its answer not sent to its end. */
  isAsked(meets: Meets): boolean {
    return [...this.underWay.keys()].some(meets);
  }

  /** Whether such a request is being answered: the answer has begun, and has not come to its end. */
  isAnswering(meets: Meets): boolean {
    return [...this.underWay].some(([asked, { headersSent }]) => headersSent && meets(asked));
  }

  /** Breaks every connection that there is. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/' } = request;
    const asked: Asked = { method, path };
    this.underWay.set(asked, response);
    response.once('close', () => this.underWay.delete(asked));
    const trouble = this.trouble?.meets(asked) ? this.trouble.what : null;
    switch (trouble?.kind) {
      case 'hang':
        return;
      case 'status':
        request.resume();
        response.writeHead(trouble.status, { 'content-type': 'application/json', 'retry-after': '1' });
        // In the forms of Docker and of Kubernetes.
        response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code: trouble.status, reason: 'Trouble', message: WORDS }));
        return;
      case 'answer':
        request.resume();
        response.writeHead(200, { 'content-type': 'application/json' }).end(trouble.text);
        return;
      case 'slow':
        await sleep(trouble.ms);
        return this.forward(request, response);
      case 'held':
        await once(this.made, 'trouble');
        // Whoever asked may have given up meanwhile, and the rest of the request would never come.
        return response.destroyed ? undefined : this.forward(request, response);
      case 'lost':
        return this.forward(request, null);
      case 'cut':
        return this.forward(request, response, { cut: true });
      case undefined:
        return this.forward(request, response);
    }
  }

  /** @param response null where the answer goes nowhere */
  private async forward(request: IncomingMessage, response: ServerResponse | null, { cut = false } = {}): Promise<void> {
    const send = this.upstream.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = { ...request.headers, ...(this.upstream.headers as Record<string, string> | undefined) };
    const onward = send({ ...this.upstream, method: request.method, path: request.url, headers, agent: false });
    request.pipe(onward);
    // Whoever asks may give up; what was asked is done all the same.
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    if (response === null) {
      answer.resume();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
    if (cut) {
      response.write('{');
      answer.resume();
      await sleep(20);
      response.destroy();
      return;
    }
    response.once('close', () => answer.destroy());
    answer.pipe(response);
  }
}
