import { Controller, type INestApplication } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { AmqpServer, deadQueueOf, EventsListener, MessageContext, Requester } from '../src';
import { COMMAND, EVENT, Note, properties, QUERIES, QUERY, startApp, WORK } from './support/fixture';
import { TestBroker, waitFor } from './support';

const attempts: number[] = [];

@Controller()
class Notes {
  @MessagePattern([COMMAND, QUERY])
  note(@Payload() { text }: Note, @Ctx() { attempt }: MessageContext): { was: string } {
    attempts.push(attempt);
    if (text === 'throw') throw new Error('no luck');
    return { was: text };
  }
}

describe('broker users that may do only what they must', () => {
  let broker: TestBroker;
  let service: INestApplication;
  let asker: INestApplication;
  const cleanUp: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    broker = await TestBroker.create();
    const own = await broker.addUser({
      configure: '^notes\\..*$',
      write: '^(notes\\..*|t\\.(events|retry|dead)|amq\\.default)$',
      read: '^(notes\\..*|t\\.(commands|querys|retry|dead))$',
    });
    const gateway = await broker.addUser({
      configure: '^gateway\\..*$',
      write: '^(gateway\\..*|t\\.(commands|querys))$',
      read: '^(gateway\\..*|t\\.events)$',
    });
    cleanUp.push(own.remove, gateway.remove);
    service = await startApp(broker, {
      url: own.url,
      controllers: [Notes],
      consumers: [{ queue: WORK, types: [COMMAND] }, { queue: QUERIES }],
    });
    asker = await startApp(broker, { url: gateway.url, consumers: [], source: 'gateway' });
  });

  afterAll(async () => {
    await Promise.all([service?.close(), asker?.close()]);
    await Promise.all(cleanUp.map((remove) => remove()));
    await broker?.drop();
  });

  it.each([COMMAND, QUERY])('let a request be asked and answered: %s', async (type) => {
    const reply = await asker.get(Requester).request({ type, data: { text: 'x' } }, { deadlineMs: 5_000 });
    expect(reply).toEqual({ status: 'done', value: { was: 'x' } });
  });

  it('let a failing message be retried and buried', async () => {
    attempts.splice(0);
    await broker.publish('t.commands', COMMAND, { text: 'throw' }, properties(COMMAND, 'm-1'));
    await broker.take(deadQueueOf(WORK));
    expect(attempts).toEqual([1, 2, 3, 4]);
  });

  it('let a service make its deleted queues again', async () => {
    for (const queue of [WORK, QUERIES]) await broker.channel.deleteQueue(queue);
    await waitFor(async () => (await broker.consumerCount(WORK)) === 1 && (await broker.consumerCount(QUERIES)) === 1, 'the consumers');
    expect(service.get(AmqpServer).isConsuming()).toBe(true);
  });

  it('let one instance listen to events on a queue of its own name', async () => {
    const heard: string[] = [];
    const listener = asker.get(EventsListener);
    const bindings = [{ exchange: 't.events', routingKey: EVENT }];
    listener.listen({ queuePrefix: 'gateway.listener', bindings, onEvent: (_, { id }) => heard.push(id) });
    await waitFor(() => listener.isListening(), 'the listener');
    await broker.publish('t.events', EVENT, { text: 'x' }, properties(EVENT, 'e-1'));
    await waitFor(() => heard.includes('e-1'), 'the event');
  });
});
