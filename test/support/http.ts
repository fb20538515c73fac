import type { Json } from './json';

export interface Answer<T = Json> {
  status: number;
  body: T;
  headers: Headers;
}

export interface Sending {
  token?: string | undefined;
  headers?: Record<string, string>;
  /** The body as it is, in the place of JSON. */
  raw?: string | Uint8Array;
  signal?: AbortSignal;
}

/** A client of the REST API that knows nothing of it. It never throws for a status; it does where there is no answer at all. */
export class Http {
  constructor(readonly base: string) {}

  get<T = Json>(path: string, sending?: Sending): Promise<Answer<T>> {
    return this.send('GET', path, undefined, sending);
  }

  post<T = Json>(path: string, body?: unknown, sending?: Sending): Promise<Answer<T>> {
    return this.send('POST', path, body, sending);
  }

  patch<T = Json>(path: string, body?: unknown, sending?: Sending): Promise<Answer<T>> {
    return this.send('PATCH', path, body, sending);
  }

  async send<T = Json>(
    method: string,
    path: string,
    body?: unknown,
    { token, headers = {}, raw, signal }: Sending = {},
  ): Promise<Answer<T>> {
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.base}${path}`, {
      method,
      redirect: 'manual',
      ...(signal ? { signal } : {}),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: content }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, body: (isJson ? JSON.parse(text) : text) as T, headers: response.headers };
  }
}
