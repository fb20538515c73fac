import { connect, type ChannelModel } from 'amqplib';

/** The administrator's connection to the broker, in the virtual host of the services. */
export class Broker {
  private constructor(
    /** Where everything but the services meets: the peers' queues are in the virtual host `/`. */
    readonly adminUrl: string,
    readonly version: string,
    private readonly model: ChannelModel,
  ) {}

  static async open(adminUrl: string, vhost: string): Promise<Broker> {
    const url = new URL(adminUrl);
    url.pathname = `/${encodeURIComponent(vhost)}`;
    const model = await connect(url.href, { noDelay: true });
    model.on('error', () => undefined);
    const { version } = model.connection.serverProperties as { version?: string };
    return new Broker(adminUrl, version ?? 'unknown', model);
  }

  /** Takes everything out of a queue. @returns how many messages that were */
  async purge(queue: string): Promise<number> {
    const channel = await this.model.createChannel();
    const { messageCount } = await channel.purgeQueue(queue);
    await channel.close();
    return messageCount;
  }

  close(): Promise<void> {
    return this.model.close();
  }
}
