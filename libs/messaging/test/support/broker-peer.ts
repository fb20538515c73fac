import { type ChannelModel, type ConfirmChannel, connect, type Options } from 'amqplib';
import type { TestBroker } from './test-broker';

/** What a message is published with. */
export type Properties = Options.Publish;

/** Another client of the broker, which may publish to one exchange and do nothing else, under a login of its own. */
export class BrokerPeer {
  private constructor(
    readonly user: string,
    private readonly model: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly leave: () => Promise<void>,
  ) {}

  static async join(broker: TestBroker, exchange: string): Promise<BrokerPeer> {
    const write = `^${exchange.replaceAll('.', '\\.')}$`;
    const { name, url, remove } = await broker.addUser({ configure: '^$', write, read: '^$' });
    const model = await connect(url, { noDelay: true });
    return new BrokerPeer(name, model, await model.createConfirmChannel(), remove);
  }

  /** Publishes bytes, or an object as JSON, confirmed. */
  async publish(exchange: string, routingKey: string, body: object | Buffer, properties: Options.Publish): Promise<void> {
    const content = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    this.channel.publish(exchange, routingKey, content, { persistent: true, ...properties });
    await this.channel.waitForConfirms();
  }

  async close(): Promise<void> {
    await this.model.close();
    await this.leave();
  }
}
