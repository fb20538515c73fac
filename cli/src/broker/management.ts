import { Failure, reasonOf, unreachable } from '../failure';
import type { Definitions } from './definitions';

const TIMEOUT_MS = 30_000;

/** The few calls of RabbitMQ's management API that the set-up makes. */
export class Management {
  private readonly base: string;
  private readonly authorization: string;

  /** @param url with the administrator's user and password in it */
  constructor(url: string) {
    const { username, password, origin, pathname } = new URL(url);
    this.base = `${origin}${pathname.replace(/\/$/, '')}`;
    const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  }

  /** Makes what is missing and sets what differs; what is there already stays. */
  async importDefinitions(definitions: Definitions): Promise<void> {
    await this.call('POST', '/api/definitions', definitions);
  }

  /** Lets a user do everything in a virtual host. */
  async grantAll(vhost: string, user: string): Promise<void> {
    await this.call('PUT', `/api/permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`, {
      configure: '.*',
      write: '.*',
      read: '.*',
    });
  }

  /** @throws Failure saying what the broker said */
  private async call(method: string, path: string, body: object): Promise<void> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: { authorization: this.authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw unreachable(`the broker's management API at ${this.base} cannot be reached: ${reasonOf(error)}`);
    });
    const said = await response.text();
    if (!response.ok) throw new Failure(`the broker's management API refused ${method} ${path}: ${response.status} ${said.slice(0, 300)}`);
  }
}
