/** The few calls of RabbitMQ's management API that the scenarios make, as the administrator. */
export class Management {
  private readonly base: string;
  private readonly authorization: string;

  /** @param url with the administrator's user and password in it */
  constructor(url: string) {
    const { username, password, origin } = new URL(url);
    this.base = origin;
    this.authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
  }

  async deleteVhost(vhost: string): Promise<void> {
    await this.call('DELETE', `/api/vhosts/${encodeURIComponent(vhost)}`);
  }

  /** The connections of these users to a virtual host. The broker tells of new ones a moment late. */
  async connections(vhost: string, users: readonly string[]): Promise<string[]> {
    const all = (await this.call('GET', `/api/vhosts/${encodeURIComponent(vhost)}/connections`)) as { name: string; user: string }[];
    return all.filter(({ user }) => users.includes(user)).map(({ name }) => name);
  }

  /** The queues of a virtual host with how many messages stand in each, also those in somebody's hands. */
  async queues(vhost: string): Promise<{ name: string; messages: number }[]> {
    const all = (await this.call('GET', `/api/queues/${encodeURIComponent(vhost)}`)) as { name: string; messages?: number }[];
    return all.map(({ name, messages = 0 }) => ({ name, messages }));
  }

  /** Lets a user publish in other users' names from now on, as a tool does that sends messages again. */
  async letImpersonate(user: string, password: string): Promise<void> {
    await this.call('PUT', `/api/users/${encodeURIComponent(user)}`, { password, tags: 'administrator,impersonator' });
  }

  /** Cuts connections, as a broker that goes down does. */
  async close(connections: readonly string[]): Promise<void> {
    await Promise.all(connections.map((name) => this.call('DELETE', `/api/connections/${encodeURIComponent(name)}`)));
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: { authorization: this.authorization, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    // What is gone already is gone.
    if (!response.ok && response.status !== 404) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return response.ok && text ? JSON.parse(text) : null;
  }
}
