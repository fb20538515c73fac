import {
  BROKER_USERS,
  CommandRefused,
  CreatePod,
  CreateRole,
  EXCHANGE,
  GetTenantPosture,
  OperationSucceeded,
  PodReady,
  QUEUE,
  QUEUES,
  queuesOf,
  ReplayDeadLetters,
  ReportTask,
  RestartWorkspace,
  SetTenantPosture,
  StopWithoutSnapshot,
  TenantPostureChanged,
} from '@reprise/contracts';
import { assertQueue, deadQueueOf, RETRY_DELAYS, retryQueueOf } from '@reprise/messaging';
import { record } from '../src/testing/recorder';
import type { ConfirmChannel } from 'amqplib';
import { BrokerSession } from './support/broker-session';
import { TestInstance } from './support/instance';

let instance: TestInstance;
const sessions = new Map<string, BrokerSession>();
const as = (name: string): BrokerSession => sessions.get(`reprise_${name}`)!;

beforeAll(async () => {
  instance = await TestInstance.create();
  expect(await record(['setup'], instance.env)).toMatchObject({ code: 0 });
  for (const { name } of BROKER_USERS) sessions.set(name, await BrokerSession.open(instance.amqpUrlOf(name)));
});

afterAll(async () => {
  for (const session of sessions.values()) await session.close();
  await instance?.drop();
});

describe('what each broker user may publish', () => {
  const { commands, events, queries, retry, dead } = EXCHANGE;
  it.each<[user: string, exchange: string, message: { type: string }, may: boolean]>([
    ['publisher', commands, RestartWorkspace, true],
    ['publisher', commands, SetTenantPosture, true],
    ['publisher', commands, CreateRole, false],
    ['publisher', commands, ReportTask, false],
    ['publisher', commands, CreatePod, false],
    ['publisher', commands, StopWithoutSnapshot, false],
    ['publisher', events, OperationSucceeded, false],
    // That exchange is a direct one, of which the broker limits no keys: which queries it may send, the consumers check.
    ['publisher', queries, GetTenantPosture, true],
    ['gateway', commands, RestartWorkspace, true],
    ['gateway', commands, CreateRole, true],
    ['gateway', commands, ReportTask, true],
    ['gateway', queries, GetTenantPosture, true],
    ['gateway', commands, CreatePod, false],
    ['gateway', commands, SetTenantPosture, false],
    ['gateway', events, OperationSucceeded, false],
    ['lifecycle', commands, CreatePod, true],
    ['lifecycle', events, OperationSucceeded, true],
    ['lifecycle', queries, GetTenantPosture, true],
    ['lifecycle', commands, RestartWorkspace, false],
    ['lifecycle', events, PodReady, false],
    ['provisioner', events, PodReady, true],
    ['provisioner', events, OperationSucceeded, false],
    ['provisioner', commands, CreatePod, false],
    ['provisioner', queries, GetTenantPosture, false],
    ['billing', events, TenantPostureChanged, true],
    ['billing', events, CommandRefused, true],
    ['billing', events, OperationSucceeded, false],
    ['billing', commands, SetTenantPosture, false],
    ['gateway', commands, ReplayDeadLetters, true],
    ['publisher', commands, ReplayDeadLetters, false],
    ['deadletters', commands, RestartWorkspace, false],
    ['deadletters', commands, ReplayDeadLetters, false],
    ['deadletters', events, OperationSucceeded, false],
    ['deadletters', queries, GetTenantPosture, false],
    ['deadletters', retry, { type: QUEUE.lifecycleCommands }, true],
  ])('%s, to %s: %p: %p', async (user, exchange, { type }, may) => {
    expect(await as(user).mayPublish(exchange, type)).toBe(may);
  });

  it.each(['gateway', 'publisher'])('%s puts nothing into a queue past the exchanges', async (user) => {
    for (const exchange of [retry, dead, '']) expect(await as(user).mayPublish(exchange, QUEUE.lifecycleCommands)).toBe(false);
  });

  it.each<[user: string, exchange: string, own: string, another: string]>([
    ['billing', retry, QUEUE.billingCommands, QUEUE.lifecycleEvents],
    ['lifecycle', dead, QUEUE.lifecycleEvents, QUEUE.billingCommands],
    ['provisioner', retry, QUEUE.provisionerCommands, QUEUE.lifecycleEvents],
    ['deadletters', dead, QUEUE.deadlettersCommands, QUEUE.lifecycleCommands],
  ])('%s puts its own messages aside by %s, and no other’s', async (user, exchange, own, another) => {
    expect(await as(user).mayPublish(exchange, own)).toBe(true);
    expect(await as(user).mayPublish(exchange, another)).toBe(false);
  });

  it('nobody sends in another’s name', async () => {
    const asGateway = as('publisher').mayPublish(commands, RestartWorkspace.type, { userId: 'reprise_gateway' });
    await expect(asGateway).rejects.toThrow(/PRECONDITION_FAILED.*user_id/);
    expect(await as('publisher').mayPublish(commands, RestartWorkspace.type, { userId: 'reprise_publisher' })).toBe(true);
  });
});

describe('whose queues each broker user may touch', () => {
  const parts = QUEUES.flatMap(({ name, kind }) =>
    kind === 'work' ? [name, deadQueueOf(name), ...RETRY_DELAYS.map(({ label }) => retryQueueOf(name, label))] : [name],
  );

  it.each(BROKER_USERS.map(({ name }) => name.replace('reprise_', '')))('%s: its own and no other, but for the dead', async (user) => {
    for (const queue of parts) {
      const own = queue.startsWith(`${user}.`);
      // Whoever drains the dead letters takes them, and no more.
      const drained = user === 'deadletters' && queue.endsWith('.dead');
      expect([queue, await as(user).mayTake(queue)]).toEqual([queue, own || drained]);
      if (own) continue;
      expect(await as(user).mayConsume(queue)).toBe(drained);
      // The broker counts purging as reading.
      if (!drained) expect(await as(user).may((channel) => channel.purgeQueue(queue))).toBe(false);
      expect(await as(user).may((channel) => channel.deleteQueue(queue))).toBe(false);
      expect(await as(user).may((channel) => channel.bindQueue(queue, EXCHANGE.events, '#'))).toBe(false);
    }
  });

  it.each(['lifecycle', 'provisioner', 'billing', 'deadletters'] as const)(
    '%s makes its own queues again, and no exchange',
    async (service) => {
      for (const queue of queuesOf(service)) {
        expect(await as(service).may((channel) => assertQueue(channel, queue, { names: EXCHANGE }))).toBe(true);
      }
      expect(await as(service).may((channel) => channel.assertExchange('reprise.other', 'topic'))).toBe(false);
      expect(await as(service).may((channel) => channel.assertQueue('gateway.mine'))).toBe(false);
    },
  );

  it.each<[user: string, exchange: string, key: string, may: boolean]>([
    ['billing', EXCHANGE.dead, QUEUE.billingCommands, true],
    ['billing', EXCHANGE.dead, QUEUE.lifecycleCommands, false],
    ['billing', EXCHANGE.dead, '#', false],
    ['billing', EXCHANGE.retry, QUEUE.provisionerCommands, false],
    ['billing', EXCHANGE.retry, '*.commands', false],
    ['deadletters', EXCHANGE.dead, QUEUE.lifecycleCommands, false],
    ['billing', EXCHANGE.commands, SetTenantPosture.type, true],
    ['billing', EXCHANGE.commands, CreatePod.type, false],
    ['billing', EXCHANGE.commands, '#', false],
    ['provisioner', EXCHANGE.commands, RestartWorkspace.type, false],
    ['lifecycle', EXCHANGE.commands, 'reprise.pod.#', false],
    ['lifecycle', EXCHANGE.events, PodReady.type, true],
    ['lifecycle', EXCHANGE.events, '#', false],
    ['billing', EXCHANGE.events, PodReady.type, false],
  ])('%s listens on a queue of its own to %s with %s: %p', async (user, exchange, key, may) => {
    const name = `${user}.spy`;
    const options = { exclusive: true, autoDelete: true, durable: false };
    const listens = (bind: (channel: ConfirmChannel) => Promise<unknown>) =>
      as(user).may(async (channel) => {
        await channel.assertQueue(name, options);
        await channel.assertExchange(name, 'fanout', { autoDelete: true, durable: false });
        await bind(channel);
        await channel.unbindQueue(name, exchange, key);
        await channel.unbindExchange(name, exchange, key);
        await channel.deleteQueue(name);
        await channel.deleteExchange(name);
      });
    expect(await listens((channel) => channel.bindQueue(name, exchange, key))).toBe(may);
    expect(await listens((channel) => channel.bindExchange(name, exchange, key))).toBe(may);
  });

  it.each(['gateway', 'publisher'])('%s listens to events on a queue of its own, and to nothing else', async (user) => {
    const listenTo = (exchange: string) =>
      as(user).may(async (channel) => {
        const { queue } = await channel.assertQueue(`${user}.test`, { exclusive: true, autoDelete: true, durable: false });
        await channel.bindQueue(queue, exchange, '#');
        await channel.consume(queue, () => undefined, { noAck: true });
      });
    expect(await listenTo(EXCHANGE.events)).toBe(true);
    for (const exchange of [EXCHANGE.commands, EXCHANGE.queries, EXCHANGE.retry, EXCHANGE.dead])
      expect(await listenTo(exchange)).toBe(false);
  });
});

describe('asking and answering by direct reply-to', () => {
  it.each([
    ['gateway', EXCHANGE.queries, GetTenantPosture.type, QUEUE.billingQueries],
    ['lifecycle', EXCHANGE.queries, GetTenantPosture.type, QUEUE.billingQueries],
    ['publisher', EXCHANGE.commands, SetTenantPosture.type, QUEUE.billingCommands],
  ])('%s asks, billing answers', async (user, exchange, type, queue) => {
    await instance.broker.channel.purgeQueue(queue);
    const answered = as('billing').answerNext(queue, `for ${user}`);
    expect(await as(user).ask(exchange, type)).toBe(`for ${user}`);
    await answered;
  });
});
