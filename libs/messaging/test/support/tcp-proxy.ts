import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A way to a server that can be cut: what is behind it is then away as it is when its machine is. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private closing: { after: Buffer; times: number } | undefined;
  private port = 0;

  private constructor(
    private readonly host: string,
    private readonly targetPort: number,
  ) {}

  /** A proxy to where the URL points. */
  static async to(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new TcpProxy(hostname, Number(port));
    await proxy.restore();
    return proxy;
  }

  /** The URL with the proxy in the server's place. */
  through(url: string): string {
    const proxied = new URL(url);
    proxied.hostname = '127.0.0.1';
    proxied.port = String(this.port);
    return proxied.toString();
  }

  /** Ends every connection and refuses new ones. */
  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve) ?? resolve(undefined));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Carries nothing on present connections any more, without ending them. */
  stall(): void {
    for (const socket of this.sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /**
   * The next `times` connections to a broker are closed by it directly behind this answer, by class and method: so that the client has both at
   * once. Returns how many of these there are still to be.
   */
  closeAfter([classId, methodId]: readonly [number, number], times: number): () => number {
    const closing = { after: Buffer.from([0, classId, 0, methodId]), times };
    this.closing = closing;
    return () => closing.times;
  }

  /** Lets connections through again, at the same address. */
  async restore(): Promise<void> {
    this.server = createServer((socket) => this.pipe(socket));
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  private pipe(socket: Socket): void {
    const target = connect(this.targetPort, this.host);
    for (const [from, to] of [
      [socket, target],
      [target, socket],
    ] as const) {
      this.sockets.add(from);
      if (from === target) from.pipe(this.closer()).pipe(to);
      else from.pipe(to);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }

  private closer(): Transform {
    let closed = false;
    return new Transform({
      transform: (chunk: Buffer, _, done) => {
        const at = this.closing && this.closing.times > 0 && !closed ? chunk.indexOf(this.closing.after) : -1;
        if (at < FRAME_HEADER_BYTES || chunk[at - FRAME_HEADER_BYTES] !== METHOD_FRAME) return done(null, closed ? undefined : chunk);
        this.closing!.times--;
        closed = true;
        const end = at + chunk.readUInt32BE(at - 4) + 1;
        done(null, Buffer.concat([chunk.subarray(0, end), CONNECTION_CLOSE]));
      },
    });
  }
}

const METHOD_FRAME = 1;
const FRAME_HEADER_BYTES = 7;
/** `connection.close` 320, as an operator's closing of a connection sends it. */
const CONNECTION_CLOSE = ((): Buffer => {
  const text = 'CONNECTION_FORCED';
  const payload = Buffer.from([0, 10, 0, 50, 1, 64, text.length, ...Buffer.from(text), 0, 0, 0, 0]);
  return Buffer.concat([Buffer.from([METHOD_FRAME, 0, 0, 0, 0, 0, payload.length]), payload, Buffer.from([206])]);
})();
