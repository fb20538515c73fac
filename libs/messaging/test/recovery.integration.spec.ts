import type { ConfirmChannel } from 'amqplib';
import { Controller, type INestApplication } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  AmqpConnection,
  AmqpServer,
  BrokerIndicator,
  deadQueueOf,
  EventsListener,
  MessageContext,
  Publisher,
  Requester,
  RequestTimeoutError,
  retryQueueOf,
} from '../src';
import { COMMAND, EVENT, Note, properties, startApp, WORK } from './support/fixture';
import { TcpProxy, TestBroker, waitFor } from './support';

const DEAD = deadQueueOf(WORK);
let seen: string[] = [];
let hold: Promise<void> | undefined;

@Controller()
class Notes {
  @MessagePattern(COMMAND)
  async note(@Payload() { text }: Note, @Ctx() { id }: MessageContext): Promise<{ was: string }> {
    await hold;
    seen.push(id);
    if (text === 'throw') throw new Error('no luck');
    return { was: text };
  }
}

/** How a test gets at the very channel that a consumer uses, to break it. */
interface Insides {
  consumers: { options: { queue: { name: string } }; channel: { open: ConfirmChannel } }[];
}

describe('a service whose broker misbehaves', () => {
  let broker: TestBroker;
  let app: INestApplication;

  beforeEach(async () => {
    broker = await TestBroker.create();
    seen = [];
    hold = undefined;
    app = await startApp(broker, { controllers: [Notes] });
  });

  afterEach(async () => {
    await app?.close();
    await broker?.drop();
  });

  const send = (id: string, text = 'fine') => broker.publish('t.commands', COMMAND, { text }, properties(COMMAND, id));
  const handled = (id: string) => waitFor(() => seen.includes(id), `the handling of ${id}`);
  const consuming = () => waitFor(() => app.get(AmqpServer).isConsuming(), 'the consumers');

  /** Something that the broker says no to, which costs the channel. */
  const breakChannelsOf = async (queue: string): Promise<void> => {
    const server = app.get<AmqpServer, Insides>(AmqpServer);
    const consumer = server.consumers.find(({ options }) => options.queue.name === queue)!;
    await expect(consumer.channel.open.checkQueue('there-is-no-such-queue')).rejects.toThrow('NOT_FOUND');
  };

  it('a deleted queue is made again, and its consumer takes up its work', async () => {
    await broker.channel.deleteQueue(WORK);
    await waitFor(() => !app.get(AmqpServer).isConsuming(), 'the loss to be noticed');
    await consuming();
    await send('after');
    await handled('after');
  });

  it('consumers of two replicas that are cancelled together both consume again', async () => {
    const other = await startApp(broker, { controllers: [Notes], source: 'notes-2' });
    await waitFor(async () => (await broker.consumerCount(WORK)) === 2, 'both consumers');
    await broker.channel.deleteQueue(WORK);
    await waitFor(async () => (await broker.consumerCount(WORK)) === 2, 'both consumers again');
    for (let i = 0; i < 20; i++) await send(`after-${i}`);
    await waitFor(() => seen.length === 20, 'all messages');
    await other.close();
  });

  it('a closed channel is opened again, and the message that it held is handled again', async () => {
    let release = (): void => undefined;
    hold = new Promise((resolve) => (release = resolve));
    await send('held');
    await waitFor(async () => (await broker.count(WORK)) === 0, 'the message to be in hand');
    await breakChannelsOf(WORK);
    release();
    await consuming();
    await waitFor(() => seen.filter((id) => id === 'held').length === 2, 'the second delivery');
    await send('after');
    await handled('after');
    expect(await broker.count(DEAD)).toBe(0);
  });

  it('a killed connection comes back with its consumers, its publisher and its requests', async () => {
    await broker.killConnections('notes');
    await waitFor(() => app.get(AmqpConnection).isReady() && app.get(AmqpServer).isConsuming(), 'the connection');
    await send('after');
    await handled('after');
    await app.get(Publisher).publish({ id: 'own', type: COMMAND, data: { text: 'fine' } });
    await handled('own');
    expect(await app.get(Requester).request({ type: COMMAND, data: { text: 'q' } }, { deadlineMs: 5_000 })).toEqual({
      status: 'done',
      value: { was: 'q' },
    });
  });

  it('a request whose connection is killed while it waits is sent again and answered', async () => {
    let release = (): void => undefined;
    hold = new Promise((resolve) => (release = resolve));
    const reply = app.get(Requester).request({ type: COMMAND, data: { text: 'q' } }, { deadlineMs: 20_000 });
    await waitFor(async () => (await broker.consumerCount(WORK)) === 1 && (await broker.count(WORK)) === 0, 'the request to be in hand');
    await broker.killConnections('notes');
    release();
    expect(await reply).toEqual({ status: 'done', value: { was: 'q' } });
  });

  it('a retry queue that someone deleted is made again rather than that the message is lost', async () => {
    await broker.channel.deleteQueue(retryQueueOf(WORK, '5s'));
    await broker.channel.deleteQueue(DEAD);
    await send('unlucky', 'throw');
    expect((await broker.take(DEAD)).properties.messageId).toBe('unlucky');
  });

  it('a service starts without a broker, says that it is not ready, and works when there is one', async () => {
    const way = await TcpProxy.to(broker.url);
    await way.cut();
    const late = await startApp(broker, { controllers: [Notes], source: 'late', url: way.through(broker.url), late: true });
    const indicator = late.get(BrokerIndicator);
    await expect(indicator.check()).rejects.toThrow('connecting');
    await expect(late.get(Requester).request({ type: COMMAND, data: { text: 'x' } }, { deadlineMs: 100 })).rejects.toThrow(
      RequestTimeoutError,
    );

    await way.restore();
    await waitFor(
      async () =>
        indicator.check().then(
          () => true,
          () => false,
        ),
      'the service to be ready',
    );
    await app.close();
    await send('after');
    await handled('after');
    await late.close();
    await way.cut();
  });

  it('a broker that says nothing any more is noticed by its missing heartbeat', async () => {
    const way = await TcpProxy.to(broker.url);
    const connection = new AmqpConnection({ url: way.through(broker.url), name: 'quiet', heartbeatSeconds: 1 });
    connection.start();
    await waitFor(() => connection.isReady(), 'the connection');
    way.stall();
    await waitFor(() => !connection.isReady(), 'the loss to be noticed');
    await way.cut();
    await way.restore();
    await waitFor(() => connection.isReady(), 'the connection again');
    await connection.close();
    await way.cut();
  });

  it('a listener for events listens again after a lost connection, and is told that it may have missed some', async () => {
    const heard: string[] = [];
    const onGap = jest.fn();
    const listener = app.get(EventsListener);
    listener.listen({
      queuePrefix: 'notes.listener',
      bindings: [{ exchange: 't.events', routingKey: EVENT }],
      onEvent: (_, { id }) => heard.push(id),
      onGap,
    });
    await waitFor(() => listener.isListening(), 'the listener');
    await broker.publish('t.events', EVENT, { text: 'x', new_field: 1 }, properties(EVENT, 'first'));
    await waitFor(() => heard.length === 1, 'the first event');
    await broker.killConnections('notes');
    await waitFor(() => onGap.mock.calls.length === 1 && listener.isListening(), 'the gap');
    await broker.publish('t.events', EVENT, { text: 'x' }, properties(EVENT, 'second'));
    await waitFor(() => heard.length === 2, 'the second event');
    expect(heard).toEqual(['first', 'second']);
  });
});
