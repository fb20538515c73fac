import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Settings } from '../../../src/snapshots/s3/s3-settings';
import { refusalOf } from './s3-digests';
import { answerListing } from './s3-listing';
import { readRequest, type S3Request } from './s3-request';
import { BUCKET, startS3rver } from './s3-service';
import { type Answer, answerUpload, errorAnswer } from './s3-uploads';

/** What goes wrong with a request. */
export type Fault =
  /** It is answered so, and not passed on. */
  | { readonly answer: Answer }
  /** Nothing is ever answered. */
  | { readonly hang: true }
  /** The connection is cut before anything was read. */
  | { readonly cut: true }
  /** It is done, and the connection cut instead of the answer. */
  | { readonly loseAnswer: true }
  /** A bit of its body flips on the way. */
  | { readonly spoil: true }
  /** A bit of its body flips in the store, which has checked it before. */
  | { readonly spoilStored: true }
  /** After so many bytes of the answer's body the connection is cut. */
  | { readonly cutAnswerAfter: number }
  /** After so many bytes of the answer's body nothing more comes. */
  | { readonly stallAnswerAfter: number }
  /** It waits so long first. */
  | { readonly delayMs: number };

export const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/**
 * What the S3 store is tested against: s3rver, and before it a proxy that makes requests fail and that does what s3rver cannot and S3 does: list in
 * pages, list uploads and give them up, and refuse a body whose digests are other than the request's headers say.
 */
export class S3Peer {
  /** Asked for every request. */
  fault: (request: S3Request) => Fault | undefined = () => undefined;
  readonly requests: S3Request[] = [];
  private conditional = Promise.resolve();

  private constructor(
    private readonly directory: string,
    private readonly port: number,
    private readonly proxy: Server,
    private readonly stopService: () => Promise<void>,
  ) {
    proxy.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      this.serve(incoming, response).catch(() => response.destroy());
    });
  }

  static async start(directory: string): Promise<S3Peer> {
    const { port, stop } = await startS3rver(directory);
    const proxy = createServer();
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    return new S3Peer(directory, port, proxy, stop);
  }

  async stop(): Promise<void> {
    this.proxy.closeAllConnections();
    await new Promise((done) => this.proxy.close(done));
    await this.stopService();
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.proxy.address() as AddressInfo).port}`;
  }

  /** s3rver itself, past the proxy: for what only asks how long it takes. */
  get unproxied(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  settings(other: Partial<S3Settings> = {}): S3Settings {
    return {
      bucket: BUCKET,
      prefix: '',
      region: 'us-east-1',
      endpoint: this.endpoint,
      forcePathStyle: true,
      credentials: KEYS,
      encryption: 'none',
      checksum: 'none',
      partBytes: 5 * 1024 * 1024,
      maxParts: 10_000,
      timeoutMs: 10_000,
      direct: false,
      ...other,
    };
  }

  /** How often an operation was asked for. */
  count(operation: S3Request['operation']): number {
    return this.requests.filter((one) => one.operation === operation).length;
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = readRequest(incoming);
    this.requests.push(asked);
    const fault: Fault | undefined = this.fault(asked);
    if (fault && 'hang' in fault) return;
    if (fault && 'cut' in fault) return void incoming.destroy();
    if (fault && 'delayMs' in fault) await sleep(fault.delayMs);
    const sent = Buffer.concat((await incoming.toArray()) as Buffer[]);
    if (fault && 'answer' in fault) return answer(response, fault.answer);
    const received = fault && 'spoil' in fault ? flipped(sent) : sent;
    const refusal = refusalOf(asked, received);
    if (refusal !== null) return answer(response, errorAnswer(400, refusal));
    const known = (await answerUpload(this.directory, asked)) ?? (await answerListing(this.directory, asked));
    if (known !== null) return answer(response, known);
    const forward = () => this.forward(incoming, fault && 'spoilStored' in fault ? flipped(received) : received, response, fault);
    if (asked.headers['if-none-match'] !== '*') return forward();
    // One after another, so that between the look and the write there is no other write.
    await (this.conditional = this.conditional
      .catch(() => undefined)
      .then(async () => ((await this.has(asked.key)) ? answer(response, errorAnswer(412, 'PreconditionFailed')) : forward())));
  }

  /** s3rver keeps an object in a file of its key's name and a suffix. */
  private async has(key: string): Promise<boolean> {
    const path = join(this.directory, BUCKET, `${key}._S3rver_object`);
    return access(path).then(
      () => true,
      () => false,
    );
  }

  private forward(incoming: IncomingMessage, body: Buffer, response: ServerResponse, fault: Fault | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { ...incoming.headers, 'content-length': String(body.length) };
      const call = request({ host: '127.0.0.1', port: this.port, method: incoming.method, path: incoming.url, headers, agent: false });
      call.once('error', reject);
      call.once('response', (from: IncomingMessage) => {
        if (fault && 'loseAnswer' in fault) {
          from.resume();
          from.once('end', () => response.destroy());
          return resolve();
        }
        response.once('close', () => from.destroy());
        response.writeHead(from.statusCode ?? 500, from.headers);
        passOn(from, response, fault).then(resolve, reject);
      });
      call.end(body);
    });
  }
}

async function passOn(from: IncomingMessage, to: ServerResponse, fault: Fault | undefined): Promise<void> {
  const limit =
    fault && 'cutAnswerAfter' in fault ? fault.cutAnswerAfter : fault && 'stallAnswerAfter' in fault ? fault.stallAnswerAfter : Infinity;
  let passed = 0;
  for await (const chunk of from as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, limit - passed);
    passed += part.length;
    if (!to.write(part)) await drained(to);
    if (to.destroyed) return void from.destroy();
    if (passed < limit) continue;
    if (fault && 'stallAnswerAfter' in fault) return;
    // What was written goes out first: the cut is in the middle of the body, not before it.
    await sleep(50);
    return void to.destroy();
  }
  to.end();
}

async function drained(to: ServerResponse): Promise<void> {
  const gone = new AbortController();
  try {
    await Promise.race(['drain', 'close'].map((event) => once(to, event, { signal: gone.signal })));
  } finally {
    gone.abort();
  }
}

function flipped(body: Buffer): Buffer {
  const other = Buffer.from(body);
  const middle = Math.floor(other.length / 2);
  other[middle] = (other[middle] ?? 0) ^ 1;
  return other;
}

function answer(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}
