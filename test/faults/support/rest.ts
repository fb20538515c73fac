import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { OperationView, TaskView, WorkspaceView } from '@reprise/contracts';
import type { Answer } from '../../support';
import { Http } from '../../support/http';
import type { Json } from '../../support/json';
import type { Ledger } from './ledger';

const PATIENCE_MS = 420_000;
const ANSWER_WITHIN_MS = 30_000;

/** Nobody has answered for minutes. */
export class Unanswered extends Error {}

/**
 * A caller of the REST API as docs ask for one: it sends each change with an idempotency key and repeats it with the same one until there is an
 * answer. Now and then it repeats what was answered, too: the answer must be the first one.
 */
export class Rest {
  private readonly http: Http;

  constructor(
    url: string,
    readonly org: string,
    private readonly token: string,
    private readonly ledger: Ledger,
  ) {
    this.http = new Http(url);
  }

  get<T = Json>(path: string): Promise<Answer<T>> {
    return this.asked<T>('GET', path);
  }

  async post<T = Json>(path: string, body?: unknown, { repeat = false } = {}): Promise<Answer<T>> {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await this.asked<T>('POST', path, body, headers);
    if (repeat) {
      const second = await this.asked<T>('POST', path, body, headers);
      this.ledger.check(6, same(first, second), () => `POST ${path}: ${told(first)}, and then ${told(second)}`);
    }
    return first;
  }

  async see(id: string): Promise<WorkspaceView> {
    return must(200, await this.get<WorkspaceView>(`/v1/workspaces/${id}`));
  }

  async operation(id: string, wait = 0): Promise<OperationView> {
    return must(200, await this.get<OperationView>(`/v1/operations/${id}?wait=${wait}`));
  }

  async task(workspace: string, id: string): Promise<TaskView> {
    return must(200, await this.get<TaskView>(`/v1/workspaces/${workspace}/tasks/${id}`));
  }

  private asked<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.ledger.waits.during(`${method} ${path}`, () => this.untilAnswered<T>(method, path, body, headers));
  }

  private async untilAnswered<T>(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Answer<T>> {
    const until = Date.now() + PATIENCE_MS;
    for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
      const answer = await this.once<T>(method, path, body, headers);
      if (answer && !shouldRepeat(answer)) return answer;
      this.ledger.count('requests repeated', answer ? `${answer.status} ${codeOf(answer)}` : 'no answer');
      if (answer?.status === 500) this.ledger.note(`${method} ${path}: ${told(answer)}`);
      if (Date.now() > until) throw new Unanswered(`${method} ${path}: ${answer ? told(answer) : 'no answer'} for ${PATIENCE_MS / 1000} s`);
      await delay(pause);
    }
  }

  private async once<T>(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Answer<T> | null> {
    try {
      return await this.http.send<T>(method, path, body, { token: this.token, headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    } catch {
      return null;
    }
  }
}

const shouldRepeat = (answer: Answer<unknown>) => answer.status >= 500 || codeOf(answer) === 'idempotency_in_progress';

export function codeOf(answer: Answer<unknown>): string {
  return (answer.body as { error?: { code?: string } } | null)?.error?.code ?? '';
}

export function told(answer: Answer<unknown>): string {
  return `${answer.status} ${JSON.stringify(answer.body)}`;
}

export function must<T>(status: number, answer: Answer<T>): T {
  if (answer.status !== status) throw new Error(`${told(answer)} instead of ${status}`);
  return answer.body;
}

/** Equal but for the request id, which each request has of its own. The order of members says nothing in JSON. */
function same(one: Answer<unknown>, other: Answer<unknown>): boolean {
  const plain = ({ status, body }: Answer<unknown>): unknown =>
    JSON.parse(JSON.stringify({ status, body }, (name, value: unknown) => (name === 'request_id' ? undefined : value)));
  return isDeepStrictEqual(plain(one), plain(other));
}
