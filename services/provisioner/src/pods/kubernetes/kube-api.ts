import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterAccess } from './cluster-access';
import { KubeError } from './kube-error';
import type { KubeObject, KubeStatus } from './kube-objects';

export type KubeQuery = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line of a watch. */
export interface KubeEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** How long it may stand still: a connection that nobody serves any more says nothing either. */
  readonly idleMs: number;
  /** The API has taken it up. */
  readonly onOpen: () => void;
}

/**
 * The few calls of the Kubernetes API that a driver needs, in JSON as it goes over the wire. The official client's own calls have no time limit,
 * and turn every object into one of its classes.
 */
export class KubeApi {
  /** @param timeoutMs the limit of each call, waits that the API asks for (429, 503 with Retry-After) included */
  constructor(
    private readonly access: ClusterAccess,
    private readonly timeoutMs: number,
  ) {}

  /** Null where there is none. */
  async get<T extends KubeObject>(path: string): Promise<T | null> {
    return this.call<T>('GET', path).catch(noneWhere404);
  }

  list<T>(path: string, query: KubeQuery): Promise<T> {
    return this.call<T>('GET', path, { query });
  }

  create<T extends KubeObject>(path: string, object: T): Promise<T> {
    return this.call<T>('POST', path, { body: object });
  }

  /** Fails with 409 where the object's resourceVersion is not the present one. */
  replace<T extends KubeObject>(path: string, object: T): Promise<T> {
    return this.call<T>('PUT', path, { body: object });
  }

  /** What the API answers; null where there was none. */
  async delete<T>(path: string, options: object): Promise<T | null> {
    return this.call<T>('DELETE', path, { body: options }).catch(noneWhere404);
  }

  /** Resolves when the API ends the watch, as it does after some minutes. What it tells meanwhile goes to `onEvent`. */
  async watch<T>(path: string, query: KubeQuery, onEvent: (event: KubeEvent<T>) => void, options: WatchOptions): Promise<void> {
    const { signal, idleMs } = options;
    const opening = AbortSignal.any([signal, AbortSignal.timeout(this.timeoutMs)]);
    const stopped = new AbortController();
    const ended = AbortSignal.any([signal, stopped.signal]);
    const response = await this.send('GET', this.url(path, { ...query, watch: true }), undefined, ended, opening);
    if (response.statusCode !== 200) throw await failureOf(response);
    options.onOpen();
    // Whoever only watches is not kept alive by it.
    response.socket.unref();
    response.setTimeout(idleMs, () => response.destroy(new KubeError(null, '', `the watch said nothing for ${idleMs} ms`)));
    try {
      for await (const line of linesOf(response)) if (line !== '') onEvent(JSON.parse(line) as KubeEvent<T>);
    } catch (error) {
      throw asKubeError(error, 'the watch broke off');
    } finally {
      stopped.abort();
    }
  }

  private async call<T>(method: string, path: string, { query, body }: { query?: KubeQuery; body?: object } = {}): Promise<T> {
    const url = this.url(path, query);
    const until = performance.now() + this.timeoutMs;
    for (;;) {
      const signal = AbortSignal.timeout(Math.max(1, Math.ceil(until - performance.now())));
      const error = await this.exchange<T>(method, url, body, signal);
      if (!(error instanceof KubeError)) return error;
      // Both say that nothing was done, so any call may be repeated.
      if (error.retryAfterMs === null || performance.now() + error.retryAfterMs >= until) throw error;
      await sleep(error.retryAfterMs);
    }
  }

  private async exchange<T>(method: string, url: URL, body: object | undefined, signal: AbortSignal): Promise<T | KubeError> {
    const response = await this.send(method, url, body, signal, signal);
    try {
      if (response.statusCode! >= 300) return await failureOf(response);
      return JSON.parse(await textOf(response)) as T;
    } catch (error) {
      throw signal.aborted ? late(this.timeoutMs, error) : asKubeError(error, 'the answer cannot be read');
    }
  }

  /** The head of the answer, until `opening` is aborted; its body lives until `lasting` is. */
  private async send(
    method: string,
    url: URL,
    body: object | undefined,
    lasting: AbortSignal,
    opening: AbortSignal,
  ): Promise<IncomingMessage> {
    try {
      const headers: Record<string, string> = { accept: 'application/json' };
      const text = body === undefined ? undefined : JSON.stringify(body);
      if (text !== undefined) {
        headers['content-type'] = 'application/json';
        // Node sends none by itself with a DELETE, and the body would be taken for the next request.
        headers['content-length'] = String(Buffer.byteLength(text));
      }
      const request = await this.access.begin(url, { method, headers, signal: lasting });
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const giveUp = (): void => void request.destroy(opening.reason as Error);
        opening.addEventListener('abort', giveUp, { once: true });
        request.once('response', (response) => {
          opening.removeEventListener('abort', giveUp);
          resolve(response);
        });
        request.on('error', reject);
        request.end(text);
      });
    } catch (error) {
      throw opening.aborted ? late(this.timeoutMs, error) : asKubeError(error, 'the API cannot be reached');
    }
  }

  private url(path: string, query: KubeQuery = {}): URL {
    const url = new URL(this.access.server.href.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function failureOf(response: IncomingMessage): Promise<KubeError> {
  const text = await textOf(response);
  return KubeError.ofAnswer(response.statusCode!, parsed(text) ?? { message: text.trim() || undefined }, response.headers['retry-after']);
}

function parsed(text: string): KubeStatus | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

function noneWhere404(error: unknown): null {
  if (error instanceof KubeError && error.status === 404) return null;
  throw error;
}

function late(timeoutMs: number, cause: unknown): KubeError {
  return new KubeError(null, 'Timeout', `no answer within ${timeoutMs} ms`, null, { cause });
}

function asKubeError(error: unknown, what: string): KubeError {
  if (error instanceof KubeError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new KubeError(null, '', `${what}: ${code ?? message}`, null, { cause: error });
}
