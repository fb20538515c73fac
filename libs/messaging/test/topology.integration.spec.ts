import { assertExchanges, assertQueue, deadQueueOf, DELIVERY_LIMIT, retryQueueOf } from '../src';
import { COMMAND, NAMES, properties, SHORT, TOPOLOGY, WORK } from './support/fixture';
import { TestBroker, waitFor } from './support';

const DEAD = deadQueueOf(WORK);

describe('the queues as the broker keeps them', () => {
  let broker: TestBroker;

  beforeEach(async () => {
    broker = await TestBroker.create();
    await assertExchanges(broker.channel, TOPOLOGY.exchanges);
    for (const queue of TOPOLOGY.queues) await assertQueue(broker.channel, queue, { names: NAMES, retryDelays: SHORT });
    await broker.publish('t.commands', COMMAND, { text: 'x' }, properties(COMMAND, 'm-1'));
  });

  afterEach(() => broker.drop());

  /** Takes the message and gives it back without an answer, as a service does that dies with it; how often that went. */
  const crashWithIt = async (): Promise<number> => {
    for (let deliveries = 0; ; deliveries++) {
      const message = await broker.channel.get(WORK);
      if (!message) return deliveries;
      broker.channel.nack(message, false, true);
    }
  };

  it('may be asserted again and again', async () => {
    for (const queue of TOPOLOGY.queues) await assertQueue(broker.channel, queue, { names: NAMES, retryDelays: SHORT });
    expect(await broker.count(WORK)).toBe(1);
  });

  it('let a message that kills its consumers go to the dead letters after the limit', async () => {
    await waitFor(async () => (await broker.count(WORK)) === 1, 'the message');
    expect(await crashWithIt()).toBe(DELIVERY_LIMIT + 1);
    const dead = await broker.take(DEAD);
    expect(dead.properties.messageId).toBe('m-1');
    expect(dead.properties.headers!['x-death']?.[0]).toMatchObject({ queue: WORK, reason: 'delivery_limit' });
  });

  it('keep a message that is to be dead for as long as there is no dead-letter queue', async () => {
    await broker.channel.deleteQueue(DEAD);
    await crashWithIt();
    // Dead-lettered at most once it would be gone by now. (The broker tries again by itself every three minutes, too long to wait here.)
    const kept = () => broker.api('GET', `queues/${broker.vhost}/${WORK}`) as Promise<{ messages_dlx?: number }>;
    await waitFor(async () => ((await kept()).messages_dlx ?? 0) === 1, 'the message to be kept');
  });

  it('bring a message back from a retry queue after its delay', async () => {
    await broker.channel.purgeQueue(WORK);
    await broker.publish(NAMES.retry, retryQueueOf(WORK, '5s'), { text: 'x' }, properties(COMMAND, 'm-2'));
    expect((await broker.take(WORK)).properties.messageId).toBe('m-2');
  });
});
