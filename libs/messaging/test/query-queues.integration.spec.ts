import { connect } from 'amqplib';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Requester } from '../src';
import { QUERIES, QUERY, startApp, WORK } from './support/fixture';
import { TestBroker, waitFor } from './support';

@Controller()
class Answers {
  @MessagePattern(QUERY)
  answer(): { was: string } {
    return { was: 'asked' };
  }
}

describe('a query queue', () => {
  let broker: TestBroker;

  beforeEach(async () => {
    broker = await TestBroker.create();
  });

  afterEach(() => broker.drop());

  const service = () => startApp(broker, { controllers: [Answers], consumers: [{ queue: WORK, types: [] }, { queue: QUERIES }] });
  const isDurable = async () => ((await broker.api('GET', `queues/${broker.vhost}/${QUERIES}`)) as { durable: boolean }).durable;

  it('is durable, which RabbitMQ 4.3 asks of every queue that is not exclusive', async () => {
    const app = await service();
    try {
      expect(await isDurable()).toBe(true);
    } finally {
      await app.close();
    }
  });

  it('that an older version made transient is answered from, and is durable once it was deleted', async () => {
    if (!(await makeTransient(broker.url))) return; // this broker refuses them: there is none of an older version
    const app = await service();
    try {
      expect(await isDurable()).toBe(false);
      expect(await app.get(Requester).request({ type: QUERY, data: { text: 'x' } }, { deadlineMs: 5_000 })).toMatchObject({
        status: 'done',
        value: { was: 'asked' },
      });
      // As with a restart of the broker.
      await broker.channel.deleteQueue(QUERIES);
      await waitFor(async () => (await broker.consumerCount(QUERIES)) === 1 && (await isDurable()), 'the durable queue');
    } finally {
      await app.close();
    }
  });
});

/** On a connection of its own, which a refusal costs. @returns whether the broker has such queues */
async function makeTransient(url: string): Promise<boolean> {
  const connection = await connect(url);
  connection.on('error', () => undefined);
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  try {
    await channel.assertQueue(QUERIES, { durable: false, autoDelete: false, messageTtl: 30_000 });
    return true;
  } catch {
    return false;
  } finally {
    await connection.close().catch(() => undefined);
  }
}
