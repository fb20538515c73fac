import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AgentError } from '../errors';

/** How far the clocks of pod and provisioner may be apart. For as long, no number is taken a second time. */
const WINDOW_MS = 300_000;
const NONCE = /^[0-9a-f]{32}$/;
const DIGEST = /^[0-9a-f]{64}$/;
/** What stands before the 32 bytes of an Ed25519 public key in DER (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Tells the requests of the provisioner from those of tasks. A task can read what its agent was started with, the pod token too: so control requests
 * are signed, and the agent has the public keys alone. What is signed, and the headers, stand in docs/pod-contract.md.
 */
export class ControlGuard {
  /** The numbers that were taken, in the order in which they came, with the time until which they count. */
  private readonly taken = new Map<string, number>();

  constructor(
    private readonly keys: readonly KeyObject[],
    private readonly pod: { readonly workspaceId: string; readonly generation: number },
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The digest that the content of the request must have.
   * @throws AgentError `unauthorized` where it is not signed by the provisioner, for this pod, now, and for the first time
   */
  check({ method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>): string {
    const [time, nonce, content, signature] = ['time', 'nonce', 'content-sha256', 'signature'].map((name) =>
      text(headers[`x-reprise-${name}`]),
    );
    if (!time || !nonce || !content || !signature) throw refused('it is not signed');
    if (!/^[0-9]{1,15}$/.test(time) || !NONCE.test(nonce) || !DIGEST.test(content)) throw refused('its signature cannot be read');
    const signed = Buffer.from(
      ['reprise-control-v1', method, url, this.pod.workspaceId, this.pod.generation, time, nonce, content].join('\n'),
    );
    const bytes = Buffer.from(signature, 'base64url');
    if (!this.keys.some((key) => verify(null, signed, key, bytes)))
      throw refused('its signature is not that of the provisioner for this request');
    const now = this.now();
    const offMs = Math.abs(now - Number(time));
    if (offMs > WINDOW_MS) throw refused(`it is ${Math.round(offMs / 1000)} seconds off the clock of this pod`);
    this.take(nonce, now, Number(time));
    return content;
  }

  private take(nonce: string, now: number, time: number): void {
    for (const [old, until] of this.taken) if (until < now) this.taken.delete(old);
    if (this.taken.has(nonce)) throw refused('it was sent before');
    this.taken.set(nonce, time + WINDOW_MS);
  }
}

/** @throws AgentError `unauthorized` where the content is not what was signed; null where nothing was */
export function assertContent(content: string | Buffer, signed: string | null): void {
  if (signed !== null && createHash('sha256').update(content).digest('hex') !== signed) throw refused('its content is not what was signed');
}

/** The public keys in a list of base64url, or null where one is none. */
export function publicKeysIn(list: string): KeyObject[] | null {
  const raw = list.split(',').map((key) => Buffer.from(key, 'base64url'));
  if (raw.some((key) => key.length !== 32)) return null;
  return raw.map((key) => createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key]), format: 'der', type: 'spki' }));
}

export function refused(why: string): AgentError {
  return new AgentError('unauthorized', `The request is refused: ${why}.`);
}

function text(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
