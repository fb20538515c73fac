import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { PassThrough, Transform, type TransformCallback } from 'node:stream';

/** What is the matter with a way. */
export type Trouble = { kind: 'cut' } | { kind: 'delay'; ms: number } | { kind: 'throttle'; bytesPerSecond: number };

/** The network between two parts: a TCP proxy that can be cut, slow or narrow. */
export class Way {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private trouble: Trouble | null = null;
  private port = 0;

  private constructor(
    readonly name: string,
    private readonly host: string,
    private readonly targetPort: number,
  ) {}

  static async to(url: string, name: string): Promise<Way> {
    const { hostname, port } = new URL(url);
    const way = new Way(name, hostname, Number(port));
    await way.open();
    return way;
  }

  /** The URL with this way in the server's place. */
  through(url: string): string {
    const proxied = new URL(url);
    proxied.hostname = '127.0.0.1';
    proxied.port = String(this.port);
    return proxied.href.replace(/\/$/, '');
  }

  /** A cut ends every connection and refuses new ones; what is slow or narrow is so for the connections that there are as well. */
  async hinder(trouble: Trouble): Promise<void> {
    this.trouble = trouble;
    if (trouble.kind === 'cut') await this.close();
  }

  async clear(): Promise<void> {
    this.trouble = null;
    if (!this.server) await this.open();
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    const closed = new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private async open(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.carry(socket));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  private carry(socket: Socket): void {
    const target = connect({ port: this.targetPort, host: this.host, allowHalfOpen: true });
    for (const [from, to] of [
      [socket, target],
      [target, socket],
    ] as const) {
      from.setNoDelay(true);
      this.sockets.add(from);
      from.pipe(this.hindrance()).pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        // What is still on its way arrives, as after a FIN; a reset takes the other side with it.
        if (!from.readableEnded) to.destroy();
      });
    }
  }

  /** Everything passes through here; whether it waits is asked for each piece anew. */
  private hindrance(): Transform {
    return new Slowed(() => this.trouble);
  }
}

class Slowed extends PassThrough {
  constructor(private readonly troubleNow: () => Trouble | null) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const trouble = this.troubleNow();
    if (trouble === null || trouble.kind === 'cut') return done(null, chunk);
    const ms = trouble.kind === 'delay' ? trouble.ms : (chunk.length / trouble.bytesPerSecond) * 1000;
    setTimeout(() => done(null, chunk), Math.min(ms, 2_000));
  }
}
