import { userInfo } from 'node:os';
import type { Environment } from '../environment';
import { EXIT, Failure } from '../failure';
import { signToken } from '../tokens/sign-token';
import { type Answer, Gateway } from './gateway';

/** A part of the operators' REST API, in the name of whoever runs the command: with `REPRISE_TOKEN`; in the embedded mode, with a token of its own. */
export class OperatorApi {
  private readonly gateway: Gateway;

  /** @param base the path that it is below @throws Failure where the gateway's address or the token is missing */
  constructor(
    environment: Environment,
    private readonly base: string,
  ) {
    const token =
      environment.get('REPRISE_TOKEN') ??
      signToken(environment, { org: 'reprise', sub: userInfo().username, permissions: ['ops:read', 'ops:write'], ttlSeconds: 3600 });
    this.gateway = new Gateway(environment.need('GATEWAY_URL', 'the gateway'), token);
  }

  /** @throws Failure with the refusal */
  async get<T>(path = '', query: Record<string, string> = {}): Promise<T> {
    const text = new URLSearchParams(query).toString();
    return bodyOf(await this.gateway.get<T>(`${this.base}${path}${text ? `?${text}` : ''}`));
  }

  /** @throws Failure with the refusal */
  async post<T>(path: string, body?: object): Promise<T> {
    return bodyOf(await this.gateway.post<T>(`${this.base}${path}`, body));
  }
}

function bodyOf<T>({ status, body }: Answer<T>): T {
  if (status < 400) return body;
  const { code, message, details } = body.error ?? { code: String(status), message: 'without a reason' };
  throw new Failure(`refused: ${code}: ${message}`, status === 503 ? EXIT.unreachable : EXIT.failed, { code, details });
}
