import { randomBytes } from 'node:crypto';
import { type Channel, type ChannelModel, type ConfirmChannel, connect, type GetMessage, type Options } from 'amqplib';
import { waitFor } from './wait-for';

/** A virtual host of the real broker for one test file, with an administrator's connection into it. */
export class TestBroker {
  private constructor(
    readonly vhost: string,
    /** The address of this virtual host for the administrator. */
    readonly url: string,
    private readonly model: ChannelModel,
    readonly channel: ConfirmChannel,
  ) {}

  static async create(): Promise<TestBroker> {
    const vhost = `test-${randomBytes(6).toString('hex')}`;
    const url = new URL(required('TEST_AMQP_URL'));
    await api('PUT', `vhosts/${vhost}`);
    await api('PUT', `permissions/${vhost}/${url.username}`, { configure: '.*', write: '.*', read: '.*' });
    url.pathname = `/${vhost}`;
    const model = await connect(url.toString(), { noDelay: true, clientProperties: { connection_name: 'test' } });
    model.on('error', () => undefined);
    return new TestBroker(vhost, url.toString(), model, await model.createConfirmChannel());
  }

  async drop(): Promise<void> {
    await this.model.close();
    await api('DELETE', `vhosts/${this.vhost}`);
  }

  /** Adds a broker user that may do what the patterns allow in this virtual host; returns its address and how to remove it. */
  async addUser(
    rights = { configure: '.*', write: '.*', read: '.*' },
  ): Promise<{ name: string; url: string; remove: () => Promise<void> }> {
    const name = `${this.vhost}-${randomBytes(3).toString('hex')}`;
    await api('PUT', `users/${name}`, { password: name, tags: '' });
    await api('PUT', `permissions/${this.vhost}/${name}`, rights);
    const url = new URL(this.url);
    url.username = name;
    url.password = name;
    return { name, url: url.toString(), remove: async () => void (await api('DELETE', `users/${name}`)) };
  }

  /** Publishes bytes as they are, confirmed. */
  async publish(exchange: string, routingKey: string, body: string | object | Buffer, properties: Options.Publish = {}): Promise<void> {
    const content = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    this.channel.publish(exchange, routingKey, content, { persistent: true, ...properties });
    await this.channel.waitForConfirms();
  }

  /** Takes the next message out of a queue, waiting for it, and for the queue. */
  async take(queue: string, limitMs?: number): Promise<GetMessage> {
    // Counted first: getting from a quorum queue that is being made at this moment costs the whole connection (541).
    const next = async (): Promise<GetMessage | false | undefined> =>
      (await this.count(queue)) > 0 && this.tryOn((channel) => channel.get(queue, { noAck: true }));
    return waitFor(next, `a message in ${queue}`, limitMs);
  }

  /** How many messages are ready in a queue; none if it is not there. */
  async count(queue: string): Promise<number> {
    return (await this.tryOn((channel) => channel.checkQueue(queue)))?.messageCount ?? 0;
  }

  /** How many consumers a queue has; none if it is not there. */
  async consumerCount(queue: string): Promise<number> {
    return (await this.tryOn((channel) => channel.checkQueue(queue)))?.consumerCount ?? 0;
  }

  /** On a channel of its own, since the broker closes the channel of a wrong request; undefined for such a request. */
  private async tryOn<T>(work: (channel: Channel) => Promise<T>): Promise<T | undefined> {
    const channel = await this.model.createChannel();
    channel.on('error', () => undefined);
    try {
      const result = await work(channel);
      await channel.close();
      return result;
    } catch {
      return undefined;
    }
  }

  /** Ends the connections with this name as an operator would, by the management API; waits until the broker has one to end. */
  async killConnections(name: string): Promise<void> {
    const victims = await waitFor(async () => {
      const all = (await api('GET', `vhosts/${this.vhost}/connections`)) as Connection[];
      const found = all.filter(({ client_properties }) => client_properties?.connection_name === name);
      return found.length > 0 && found;
    }, `the connection ${name}`);
    for (const victim of victims) await api('DELETE', `connections/${encodeURIComponent(victim.name)}`);
  }

  /** Any request to the management API, below `/api/`. */
  api(method: string, path: string, body?: object): Promise<unknown> {
    return api(method, path, body);
  }
}

interface Connection {
  name: string;
  client_properties?: { connection_name?: string };
}

async function api(method: string, path: string, body?: object): Promise<unknown> {
  const url = new URL(`/api/${path}`, required('TEST_RABBITMQ_MANAGEMENT_URL'));
  const credentials = Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64');
  url.username = url.password = '';
  const send = () =>
    fetch(url, {
      method,
      headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
  // The server ends a connection after 5 s without a request. On a busy machine that is while the next one is sent, and all may be sent twice.
  const response = await send().catch((error: Error) => {
    if ((error.cause as { code?: string } | undefined)?.code !== 'UND_ERR_SOCKET') throw error;
    return send();
  });
  // A connection may have gone by itself between being listed and being ended.
  if (!response.ok && !(method === 'DELETE' && response.status === 404)) {
    throw new Error(`${method} /api/${path}: ${response.status} ${await response.text()}`);
  }
  const text = await response.text();
  return text ? JSON.parse(text) : undefined;
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: this test needs the real broker and database`);
  return value;
}
