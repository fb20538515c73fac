import { randomUUID } from 'node:crypto';
import { type INestApplication, Logger } from '@nestjs/common';
import {
  CommandAccepted,
  CommandRefused,
  EXCHANGE,
  EXCHANGE_OF,
  GetTenantPosture,
  GetTenantPostures,
  ListTenants,
  MESSAGES,
  type Posture,
  QUEUE,
  SetTenantPosture,
  TenantPostureChanged,
  type TenantView,
} from '@reprise/contracts';
import { AmqpConnection, BrokerIndicator, catalogOf, Envelope, type Reply, Requester } from '@reprise/messaging';
import { ManualClock } from '@reprise/platform';
import { DataSource } from 'typeorm';
import { TestBroker, TestDatabase, waitFor } from '../../../libs/messaging/test/support';
import { startBilling } from './support/start-billing';

const clock = new ManualClock('2026-05-01T12:00:00.000Z');
const EVENTS = 'test.events';

let broker: TestBroker;
let database: TestDatabase;
let billing: INestApplication;
let connection: AmqpConnection;
let requester: Requester;

beforeAll(async () => {
  Logger.overrideLogger(false);
  [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
  billing = await startBilling(broker, database, clock);
  connection = new AmqpConnection({ url: broker.url, name: 'test' });
  requester = new Requester(connection, new Envelope(catalogOf(MESSAGES, EXCHANGE_OF), 'test'));
});

beforeEach(async () => {
  await broker.channel.assertQueue(EVENTS);
  await broker.channel.bindQueue(EVENTS, EXCHANGE.events, '#');
});

afterEach(() => broker.channel.deleteQueue(EVENTS));

afterAll(async () => {
  requester?.close();
  await connection?.close();
  await billing?.close();
  await Promise.all([broker?.drop(), database?.drop()]);
});

function ask<T = TenantView>(message: { type: string }, data: object, id: string = randomUUID()): Promise<Reply<T>> {
  return requester.request<T>({ type: message.type, data, id, actor: 'alice' }, { deadlineMs: 10_000 });
}

const setPosture = (orgId: string, posture: Posture, trialEndsAt: string | null = null, id?: string) =>
  ask(SetTenantPosture, { org_id: orgId, posture, trial_ends_at: trialEndsAt }, id);

const postureOf = (orgId: string) => ask(GetTenantPosture, { org_id: orgId });

/** The login of this test, which the broker vouches for. */
const user = () => decodeURIComponent(new URL(broker.url).username);

/** As an internal service sends it: by the broker's own client, without a reply address. */
function tell(data: object, id: string): Promise<void> {
  const properties = { type: SetTenantPosture.type, messageId: id, contentType: 'application/json', userId: user() };
  return broker.publish(EXCHANGE.commands, SetTenantPosture.type, data, properties);
}

async function nextEvent() {
  const { properties, content } = await broker.take(EVENTS);
  return { type: properties.type as string, data: JSON.parse(content.toString()), properties };
}

it('a tenant that was never heard of is refused as unknown', async () => {
  expect(await postureOf('nobody')).toMatchObject({ status: 'refused', refusal: { code: 'tenant_unknown' } });
});

it('setting a posture makes a new tenant, answers with it, and tells of it once', async () => {
  const id = randomUUID();
  const acme = { org_id: 'acme', posture: 'active', trial_ends_at: null, may_add: true };
  expect(await setPosture('acme', 'active', null, id)).toEqual({ status: 'done', value: acme });
  expect(await postureOf('acme')).toEqual({ status: 'done', value: acme });

  const { type, data, properties } = await nextEvent();
  expect({ type, data }).toEqual({
    type: TenantPostureChanged.type,
    data: { org_id: 'acme', previous: null, posture: 'active', trial_ends_at: null },
  });
  expect(properties).toMatchObject({
    correlationId: id,
    headers: { cloudEvents_orgid: 'acme', cloudEvents_actor: `service:${user()}/alice` },
  });
});

it('setting the posture that a tenant has is no news', async () => {
  await setPosture('calm', 'past_due');
  await setPosture('calm', 'past_due');
  await setPosture('calm', 'active');
  expect((await nextEvent()).data).toMatchObject({ previous: null, posture: 'past_due' });
  expect((await nextEvent()).data).toMatchObject({ previous: 'past_due', posture: 'active' });
});

it('a trial may add until the moment of its end', async () => {
  const end = new Date(clock.now().getTime() + 60_000).toISOString();
  expect(await setPosture('try', 'trial', end)).toMatchObject({ value: { may_add: true, trial_ends_at: end } });
  clock.advance(59_999);
  expect(await postureOf('try')).toMatchObject({ value: { posture: 'trial', may_add: true } });
  clock.advance(1);
  expect(await postureOf('try')).toMatchObject({ value: { posture: 'trial', may_add: false } });
});

it('several tenants are told of at once, without those that nobody knows', async () => {
  const end = new Date(clock.now().getTime() - 1).toISOString();
  await setPosture('one', 'active');
  await setPosture('two', 'trial', end);
  const asked = await ask<{ tenants: TenantView[] }>(GetTenantPostures, { org_ids: ['two', 'nobody', 'one', 'two'] });
  const tenants = asked.status === 'done' ? asked.value.tenants : [];
  expect(tenants).toHaveLength(2);
  expect(tenants).toEqual(
    expect.arrayContaining([
      { org_id: 'one', posture: 'active', trial_ends_at: null, may_add: true },
      { org_id: 'two', posture: 'trial', trial_ends_at: end, may_add: false },
    ]),
  );
  expect(await ask(GetTenantPostures, { org_ids: ['nobody'] })).toEqual({ status: 'done', value: { tenants: [] } });
});

it.each([[[]], [Array.from({ length: 101 }, (_, at) => `org-${at}`)], [['fine', 'not fine']], ['fine']])(
  'a question about tenants that are no list of some is no question: %j',
  async (org_ids) => {
    await expect(ask(GetTenantPostures, { org_ids })).rejects.toMatchObject({ reason: 'invalid' });
  },
);

it('a trial without an end, and an end without a trial, are refused and change nothing', async () => {
  await setPosture('firm', 'active');
  expect(await setPosture('firm', 'past_due', '2030-01-01T00:00:00.000Z')).toMatchObject({
    status: 'refused',
    refusal: { code: 'validation_error', details: { fields: { trial_ends_at: expect.any(String) } } },
  });
  await expect(setPosture('firm', 'trial')).rejects.toMatchObject({ reason: 'invalid' });
  expect(await postureOf('firm')).toMatchObject({ value: { posture: 'active' } });
  await broker.channel.purgeQueue(`${QUEUE.billingCommands}.dead`);
});

it('a command that comes again gets its first answer and does not undo what came after it', async () => {
  const id = randomUUID();
  const first = await setPosture('twice', 'active', null, id);
  await setPosture('twice', 'past_due');
  expect(await setPosture('twice', 'active', null, id)).toEqual(first);
  expect(await postureOf('twice')).toMatchObject({ value: { posture: 'past_due' } });
});

it('who sends a command without waiting for an answer learns by an event that it was accepted', async () => {
  const id = randomUUID();
  for (let copy = 0; copy < 3; copy++) await tell({ org_id: 'quiet', posture: 'active' }, id);
  const events = [await nextEvent(), await nextEvent()];
  expect(events.map((e) => e.type)).toEqual([TenantPostureChanged.type, CommandAccepted.type]);
  expect(events[1]!.data).toMatchObject({
    command_id: id,
    command_type: SetTenantPosture.type,
    answer: { org_id: 'quiet', may_add: true },
  });
  expect(events.map((e) => e.properties.correlationId)).toEqual([id, id]);
  await waitFor(async () => (await broker.count(QUEUE.billingCommands)) === 0);
  expect(await broker.count(EVENTS)).toBe(0);
});

it('who sends a command without waiting for an answer learns by an event that it was refused', async () => {
  const id = randomUUID();
  await tell({ org_id: 'wrong', posture: 'active', trial_ends_at: '2030-01-01T00:00:00.000Z' }, id);
  const { type, data, properties } = await nextEvent();
  expect({ type, data }).toMatchObject({ type: CommandRefused.type, data: { command_id: id, code: 'validation_error' } });
  expect(properties.correlationId).toBe(id);
  expect(await postureOf('wrong')).toMatchObject({ refusal: { code: 'tenant_unknown' } });
});

it('a command whose sender the broker has not checked is refused', async () => {
  const properties = { type: SetTenantPosture.type, messageId: randomUUID() };
  await broker.publish(EXCHANGE.commands, SetTenantPosture.type, { org_id: 'unsigned', posture: 'active' }, properties);
  expect((await nextEvent()).data).toMatchObject({ command_id: properties.messageId, code: 'unauthenticated' });
  expect(await postureOf('unsigned')).toMatchObject({ refusal: { code: 'tenant_unknown' } });
});

it('of twenty that set a new tenant at once each finds the one before it', async () => {
  const postures = Array.from({ length: 20 }, (_, i): Posture => (i % 2 === 0 ? 'active' : 'past_due'));
  await Promise.all(postures.map((posture) => setPosture('crowd', posture)));
  const final = (await postureOf('crowd')) as { value: TenantView };
  await waitFor(async () => (await billing.get(DataSource).query('SELECT FROM outbox')).length === 0, 'the outbox to be empty');
  const told = [];
  while ((await broker.count(EVENTS)) > 0) told.push((await nextEvent()).data);
  const first = told.filter((event) => event.previous === null);
  expect(first).toHaveLength(1);
  expect(told.filter((event) => event.previous === event.posture)).toEqual([]);
  // Back and forth between two postures: an odd number of changes ends where the first one led, an even number at the other.
  const other = first[0].posture === 'active' ? 'past_due' : 'active';
  expect(final.value.posture).toBe(told.length % 2 === 1 ? first[0].posture : other);
});

it('lists the tenants by name, as many as are asked for', async () => {
  await setPosture('aaa', 'active');
  await setPosture('aab', 'decommissioning');
  const { value } = (await ask<{ tenants: TenantView[] }>(ListTenants, { limit: 2 })) as { value: { tenants: TenantView[] } };
  expect(value.tenants.map((t) => [t.org_id, t.may_add])).toEqual([
    ['aaa', true],
    ['aab', false],
  ]);
});

it('is ready while it consumes its queues', async () => {
  await expect(billing.get(BrokerIndicator).check()).resolves.toBeUndefined();
});
