import { userInfo } from 'node:os';
import type { DeadLetterGroupView } from '@reprise/contracts';
import type { Environment } from '../environment';
import { EXIT, Failure } from '../failure';
import { type Answer, Gateway } from '../rest/gateway';
import { signToken } from '../tokens/sign-token';
import type { Filter } from './filter-options';

const LETTERS = '/v1/ops/dead-letters';
const WAITING = ['open', 'failed_again'] as const;

/** The operators' part of the REST API, in the name of whoever runs the command. */
export class OperatorApi {
  private constructor(private readonly gateway: Gateway) {}

  /** With the token in `REPRISE_TOKEN`; in the embedded mode, with one of its own. @throws Failure */
  static of(environment: Environment): OperatorApi {
    const token =
      environment.get('REPRISE_TOKEN') ??
      signToken(environment, { org: 'reprise', sub: userInfo().username, permissions: ['ops:read', 'ops:write'], ttlSeconds: 3600 });
    return new OperatorApi(new Gateway(environment.need('GATEWAY_URL', 'the gateway'), token));
  }

  /** @param path below the dead letters @throws Failure with the refusal */
  async get<T>(path = '', query: Record<string, string> = {}): Promise<T> {
    const text = new URLSearchParams(query).toString();
    return bodyOf(await this.gateway.get<T>(`${LETTERS}${path}${text ? `?${text}` : ''}`));
  }

  /** @throws Failure with the refusal */
  async post<T>(path: string, body?: object): Promise<T> {
    return bodyOf(await this.gateway.post<T>(`${LETTERS}${path}`, body));
  }

  /** How many letters fit the filter and wait for an operator. */
  async waiting(filter: Filter): Promise<number> {
    const statuses = filter.status ? [filter.status] : WAITING;
    const pages = await Promise.all(
      statuses.map((status) => this.get<{ groups: DeadLetterGroupView[] }>('/groups', { ...filter, status, limit: '200' })),
    );
    return pages.flatMap(({ groups }) => groups).reduce((sum, { count }) => sum + count, 0);
  }
}

function bodyOf<T>({ status, body }: Answer<T>): T {
  if (status < 400) return body;
  const { code, message } = body.error ?? { code: String(status), message: 'without a reason' };
  throw new Failure(`refused: ${code}: ${message}`, status === 503 ? EXIT.unreachable : EXIT.failed);
}
