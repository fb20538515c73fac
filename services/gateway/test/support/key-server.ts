import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sign } from 'jsonwebtoken';
import { AUDIENCE, ISSUER } from './issuer';

/** An issuer that publishes its keys over HTTP, answers as it is told, and counts how often it is asked. */
export class KeyServer {
  /** The set that it publishes. */
  keys: object[] = [];
  /** How it answers; by default with the set. */
  answer: (response: ServerResponse) => void = (response) => this.publish(response);
  asked = 0;
  private readonly pairs = new Map<string, { publicKey: KeyObject; privateKey: KeyObject }>();
  private readonly waiting: ServerResponse[] = [];

  private constructor(private readonly server: Server) {
    server.on('request', (_request, response: ServerResponse) => {
      this.asked += 1;
      this.answer(response);
    });
  }

  static async start(): Promise<KeyServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new KeyServer(server);
  }

  get uri(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks.json`;
  }

  /** A new key of this id, published from now on. */
  add(kid: string, more: object = {}): void {
    this.keys.push({ ...this.make(kid).export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256', ...more });
  }

  /** A new key of this id that is not published. */
  make(kid: string): KeyObject {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.pairs.set(kid, pair);
    return pair.publicKey;
  }

  withdraw(kid: string): void {
    this.keys = this.keys.filter((key) => (key as { kid?: string }).kid !== kid);
  }

  publish(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: this.keys }));
  }

  /** Holds back all answers until they are released. */
  hold(): void {
    this.answer = (response) => void this.waiting.push(response);
  }

  release(): void {
    this.answer = (response) => this.publish(response);
    for (const response of this.waiting.splice(0)) this.publish(response);
  }

  /** A token signed with the key of this id; `claimed` is the id that it names. */
  token(kid: string, claimed: string | undefined = kid, claims: object = {}): string {
    const pair = this.pairs.get(kid);
    if (!pair) throw new Error(`There is no key ${kid}`);
    return sign({ sub: 'alice', org_id: 'acme', permissions: [], ...claims }, pair.privateKey, {
      algorithm: 'ES256',
      ...(claimed === undefined ? {} : { keyid: claimed }),
      issuer: ISSUER,
      audience: AUDIENCE,
      expiresIn: 600,
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
