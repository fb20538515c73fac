import { randomBytes } from 'node:crypto';
import type { LoadOrder } from './load-order';

export interface NextRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Gives one request after the other. Idempotency keys differ from each other, and from those of every other run. */
export class RequestSource {
  private readonly run = randomBytes(6).toString('hex');
  private readonly authorizations: string[];
  private sent = 0;

  constructor(private readonly order: LoadOrder) {
    this.authorizations = order.tokens.map((token) => `Bearer ${token}`);
  }

  next(): NextRequest {
    const { requests, keys } = this.order;
    const number = this.sent++;
    const request = requests[number % requests.length];
    if (!request) throw new Error('There is nothing to send');
    const { method, path, token } = request;
    const authorization = this.authorizations[token] ?? '';
    return { method, path, headers: keys ? { authorization, 'idempotency-key': `bench-${this.run}-${number}` } : { authorization } };
  }
}
