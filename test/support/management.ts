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

  /** Cuts every connection to a virtual host, as a broker that goes down does. @returns how many there were */
  async closeConnections(vhost: string): Promise<number> {
    const connections = (await this.call('GET', `/api/vhosts/${encodeURIComponent(vhost)}/connections`)) as { name: string }[];
    await Promise.all(connections.map(({ name }) => this.call('DELETE', `/api/connections/${encodeURIComponent(name)}`)));
    return connections.length;
  }

  private async call(method: string, path: string): Promise<unknown> {
    const response = await fetch(`${this.base}${path}`, { method, headers: { authorization: this.authorization } });
    const text = await response.text();
    // What is gone already is gone.
    if (!response.ok && response.status !== 404) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return response.ok && text ? JSON.parse(text) : null;
  }
}
