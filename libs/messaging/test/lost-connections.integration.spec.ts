import { Logger } from '@nestjs/common';
import type { ConsumeMessage } from 'amqplib';
import { AmqpConnection, CE, Envelope, Publisher, QueueDrain } from '../src';
import { CATALOG, COMMAND } from './support/fixture';
import { TcpProxy, TestBroker, waitFor } from './support';

const QUEUE = 'letters';
const TIMES = 5;
const METHOD = { connectionOpenOk: [10, 41], channelOpenOk: [20, 11], consumeOk: [60, 21], selectOk: [85, 11] } as const;

describe('a connection that is lost directly after an answer of the broker', () => {
  let broker: TestBroker;
  let way: TcpProxy;
  let connection: AmqpConnection;

  beforeAll(() => Logger.overrideLogger(false));

  beforeEach(async () => {
    broker = await TestBroker.create();
    await broker.channel.assertQueue(QUEUE, { durable: true });
    way = await TcpProxy.to(broker.url);
    connection = new AmqpConnection({ url: way.through(broker.url), name: 'lost', maxBackoffMs: 200 });
  });

  afterEach(async () => {
    await connection.close();
    await way.cut();
    await broker.drop();
  });

  it.each(['consumeOk', 'channelOpenOk', 'connectionOpenOk'] as const)('to %s leaves no queue without its consumer', async (answer) => {
    const left = way.closeAfter(METHOD[answer], TIMES);
    const taken: string[] = [];
    const take = ({ content }: ConsumeMessage) => Promise.resolve(void taken.push(content.toString()));
    const drain = new QueueDrain({ connection, queues: [QUEUE], take });
    drain.start();
    await waitFor(() => left() === 0, 'all losses');
    await waitFor(() => drain.isConsuming(), 'the consumer');
    expect(await broker.consumerCount(QUEUE)).toBe(1);
    await broker.publish('', QUEUE, 'after');
    await waitFor(() => taken.length === 1, 'the message');
    await drain.close();
  });

  it.each(['selectOk', 'channelOpenOk', 'connectionOpenOk'] as const)('to %s leaves no publisher without its channel', async (answer) => {
    const left = way.closeAfter(METHOD[answer], TIMES);
    const publisher = new Publisher({ connection, envelope: new Envelope(CATALOG, 'test'), confirmTimeoutMs: 2_000 });
    await waitFor(() => left() === 0, 'all losses');
    await waitFor(() => publisher.isReady(), 'the publisher');
    const headers = { [CE.specversion]: '1.0' };
    await publisher.send({ exchange: '', routingKey: QUEUE, body: 'after', properties: { messageId: 'm', type: COMMAND, headers } });
    expect((await broker.take(QUEUE)).content.toString()).toBe('after');
  });

  it('says that it consumes only while it does', async () => {
    const drain = new QueueDrain({ connection, queues: [QUEUE], take: () => Promise.resolve() });
    drain.start();
    await waitFor(() => drain.isConsuming(), 'the consumer');
    await broker.killConnections('lost');
    await waitFor(() => !drain.isConsuming(), 'the loss');
    await waitFor(() => drain.isConsuming(), 'the consumer again');
    expect(await broker.consumerCount(QUEUE)).toBe(1);
    await drain.close();
  });
});
