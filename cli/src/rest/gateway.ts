import { reasonOf, unreachable } from '../failure';

export interface Answer<T> {
  status: number;
  body: T & { error?: { code: string; message: string; details?: Record<string, unknown> } };
}

const TIMEOUT_MS = 15_000;

/** The public REST API, as any client uses it. */
export class Gateway {
  private readonly base: string;

  constructor(
    url: string,
    private readonly token: string,
  ) {
    this.base = url.replace(/\/$/, '');
  }

  get<T>(path: string): Promise<Answer<T>> {
    return this.call<T>('GET', path);
  }

  post<T>(path: string, body?: object): Promise<Answer<T>> {
    return this.call<T>('POST', path, body);
  }

  /** @throws Failure (exit code 3) where nothing that speaks the API answers */
  private async call<T>(method: string, path: string, body?: object): Promise<Answer<T>> {
    try {
      const response = await fetch(`${this.base}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body ? JSON.stringify(body) : undefined,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: response.status, body: (await response.json()) as Answer<T>['body'] };
    } catch (error) {
      throw unreachable(`the gateway at ${this.base} does not answer ${method} ${path}: ${reasonOf(error)}`);
    }
  }
}
