import { randomUUID } from 'node:crypto';
import { type INestApplication, Logger } from '@nestjs/common';
import {
  CommandDead,
  type DeadLetterGroupView,
  type DeadLetterView,
  type DeadLetterWhole,
  DiscardDeadLetter,
  DiscardDeadLetters,
  EXCHANGE,
  GetDeadLetter,
  ListDeadLetterGroups,
  ListDeadLetters,
  QUEUE,
  ReplayDeadLetter,
} from '@reprise/contracts';
import { deadQueueOf, HEADER } from '@reprise/messaging';
import { DataSource } from 'typeorm';
import { TcpProxy, TestBroker, TestDatabase, waitFor } from '../../../libs/messaging/test/support';
import { Operator } from './support/operator';
import { SCHEMA } from '../src/migrations';
import { startDeadletters } from './support/start-deadletters';

const QUEUE_UNDER_TEST = QUEUE.provisionerCommands;

let broker: TestBroker;
let database: TestDatabase;
let proxy: TcpProxy;
let service: INestApplication;
let operator: Operator;

beforeAll(async () => {
  Logger.overrideLogger(false);
  [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
  proxy = await TcpProxy.to(database.url);
  database.url = proxy.through(database.url);
  service = await startDeadletters(broker, database);
  operator = new Operator(broker);
});

afterAll(async () => {
  await operator?.close();
  await service?.close();
  await proxy?.cut();
  await Promise.all([broker?.drop(), database?.drop()]);
});

const show = (id: string) => operator.must<DeadLetterWhole>(GetDeadLetter, { dead_letter_id: id });

it('who looks at dead letters is written down, with what he asked for, and no look is part of what happened to a letter', async () => {
  await operator.bury(QUEUE_UNDER_TEST, '{}', { messageId: 'looked at', type: 'looked-at.v1' });
  const { id } = await operator.letter({ type: 'looked-at.v1' });
  const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  try {
    const reads = (): Promise<object[]> =>
      source.query(
        `SELECT letter_id, action, actor, detail FROM ${SCHEMA}.history WHERE actor = 'mallory' AND action IN ('letters_listed', 'groups_listed', 'letter_read') ORDER BY id`,
      );
    const filter = { org_id: 'acme', type: 'looked-at.v1' };
    for (const [message, data] of [
      [ListDeadLetters, { filter, limit: 7 }],
      [ListDeadLetterGroups, { filter, limit: 3 }],
      [GetDeadLetter, { dead_letter_id: id }],
      [GetDeadLetter, { dead_letter_id: 'dl_nothing' }],
    ] as const)
      await operator.ask(message, data, randomUUID(), 'mallory');
    expect(await reads()).toEqual([
      { letter_id: null, action: 'letters_listed', actor: 'mallory', detail: { filter, limit: 7, org_id: 'ops' } },
      { letter_id: null, action: 'groups_listed', actor: 'mallory', detail: { filter, limit: 3, org_id: 'ops' } },
      { letter_id: id, action: 'letter_read', actor: 'mallory', detail: { org_id: 'ops' } },
    ]);
    expect((await show(id)).history.map(({ action }) => action)).toEqual(['died']);
  } finally {
    await source.destroy();
  }
});

it('a dead message stands in the table whole, byte for byte, and its queue is empty', async () => {
  const body = Buffer.from([0x7b, 0x00, 0xff, 0xfe, 0x7d]);
  const headers = {
    cloudEvents_orgid: 'acme',
    cloudEvents_subject: 'ws_1',
    mine: Buffer.from([1, 2]),
    [HEADER.userId]: 'reprise_publisher',
  };
  await operator.bury(QUEUE_UNDER_TEST, body, { messageId: 'whole', type: 'a.v1', contentType: 'text/plain', userId: undefined }, headers);
  const letter = await operator.letter({ type: 'a.v1' });
  expect(letter).toMatchObject({
    status: 'open',
    message_id: 'whole',
    queue: QUEUE_UNDER_TEST,
    org_id: 'acme',
    workspace_id: 'ws_1',
    reason: 'invalid',
    exception: 'DeadLetter: it is not valid',
    attempts: 1,
    deaths: 1,
    bytes: 5,
  });
  expect(await show(letter.id)).toMatchObject({
    ...letter,
    stack: expect.stringContaining('at somewhere'),
    headers: { mine: { '!': 'bytes', base64: 'AQI=' } },
    properties: { contentType: 'text/plain', messageId: 'whole' },
    body: { encoding: 'base64', content: body.toString('base64'), truncated: false },
    history: [{ action: 'died', actor: null }],
  });
  await waitFor(async () => (await broker.count(deadQueueOf(QUEUE_UNDER_TEST))) === 0);
});

it('the death of a command that internal services may send is told, as often as it dies; no other is', async () => {
  const events = 'test.dead-commands';
  await broker.channel.assertQueue(events);
  await broker.channel.bindQueue(events, EXCHANGE.events, CommandDead.type);
  const told = (org: string) => ({ cloudEvents_orgid: org, [HEADER.exception]: `DeadLetter: ${'why '.repeat(1_000)}` });
  for (const [queue, id] of [
    [QUEUE.provisionerCommands, 'internal'],
    [QUEUE.lifecycleEvents, 'an event'],
    [QUEUE.lifecycleCommands, 'command'],
  ] as const)
    await operator.bury(queue, '{}', { messageId: id, type: 'told.v1', correlationId: 'theirs' }, told('acme'));
  const next = async () => {
    const { content, properties } = await broker.take(events);
    return { data: JSON.parse(content.toString()) as CommandDead, properties: properties as { correlationId: string; headers: object } };
  };
  const { data, properties } = await next();
  const letter = await operator.letter({ type: 'told.v1', queue: QUEUE.lifecycleCommands });
  expect(data).toEqual({
    command_id: 'command',
    command_type: 'told.v1',
    dead_letter_id: letter.id,
    reason: 'invalid',
    message: 'why '.repeat(500),
  });
  expect(properties).toMatchObject({ correlationId: 'theirs', headers: { cloudEvents_orgid: 'acme' } });

  const later = { ...told('acme'), [HEADER.lastFailure]: new Date(Date.now() + 1_000).toISOString() };
  await operator.bury(QUEUE.lifecycleCommands, '{}', { messageId: 'command', type: 'told.v1', correlationId: 'theirs' }, later);
  expect((await next()).data).toMatchObject({ dead_letter_id: letter.id });

  // Nothing that is told may be half of a character, or longer than a property.
  const cut = { [HEADER.exception]: `DeadLetter: ${'x'.repeat(1_999)}\u{1f600}`, cloudEvents_orgid: 'acme' };
  await operator.bury(QUEUE.billingCommands, '{}', { messageId: '\0'.repeat(255), type: 'cut.v1' }, cut);
  const { data: short, properties: capped } = await next();
  expect(short).toMatchObject({ command_id: '\ufffd'.repeat(255), message: 'x'.repeat(1_999) });
  // As it was sent, it would be longer than a property may be.
  expect(capped.correlationId).toBe('…');

  await operator.bury(QUEUE.billingCommands, 'no JSON', {}, { cloudEvents_orgid: 'no tenant' });
  const nameless = await next();
  expect(nameless.data).toMatchObject({ command_id: null, command_type: null, message: 'it is not valid' });
  expect(nameless.properties.headers).not.toHaveProperty('cloudEvents_orgid');
  expect(await broker.count(events)).toBe(0);
});

it.each([
  ['nothing at all', '', {}, {}],
  [
    'a NUL and half a character',
    '\0',
    { messageId: 'a\0b', type: 'nul\0.v1' },
    { cloudEvents_orgid: '\0', [HEADER.exception]: 'bad \0 thing' },
  ],
  [
    'headers of every kind',
    '{}',
    { type: 'odd.v1' },
    { a: 1, b: [true, { c: 2 ** 52 }], d: { '!': 'timestamp', value: 1 }, [HEADER.attempts]: 'x' },
  ],
  ['an endless tenant', '{}', { type: 'long.v1' }, { cloudEvents_orgid: 'o'.repeat(30_000), [HEADER.firstFailure]: 'never' }],
])('a message with %s is stored too', async (what, body, properties, headers) => {
  const queue = QUEUE.lifecycleEvents;
  const before = (await operator.letters({ queue })).length;
  await operator.bury(queue, body, properties, headers);
  await waitFor(async () => (await operator.letters({ queue })).length === before + 1, what);
  const [letter] = await operator.letters({ queue });
  expect((await show(letter!.id)).body.content).toBe(body);
});

it('a message that the broker took out itself is stored with the reason of the broker', async () => {
  const queue = 'test.native';
  const args = { 'x-dead-letter-exchange': EXCHANGE.dead, 'x-dead-letter-routing-key': QUEUE.billingCommands };
  await broker.channel.assertQueue(queue, { arguments: args });
  await broker.channel.bindQueue(queue, EXCHANGE.commands, 'native');
  await broker.publish(EXCHANGE.commands, 'native', '{}', { messageId: 'native', type: 'native.v1' });
  const message = await waitFor(() => broker.channel.get(queue));
  broker.channel.reject(message, false);
  // Its account names the queue that it was really in, which is not the one whose dead letters these are.
  expect(await operator.letter({ type: 'native.v1' })).toMatchObject({ reason: 'unknown', message_id: 'native' });
});

it('the same delivery twice is one death, whatever came between; another death of the same message is linked to its letter', async () => {
  const die = (day: number, reason: string) => {
    const headers = { [HEADER.lastFailure]: `2026-01-0${day}T00:00:00.000Z`, [HEADER.deadReason]: reason };
    return operator.bury(QUEUE_UNDER_TEST, '{}', { messageId: 'twice', type: 'twice.v1' }, headers);
  };
  await die(1, 'invalid');
  await operator.letter({ type: 'twice.v1' });
  await die(3, 'retries_exhausted');
  await operator.letter({ type: 'twice.v1', reason: 'retries_exhausted' });
  await die(1, 'invalid');
  await die(3, 'retries_exhausted');
  // An older one that comes late counts, but is not what the letter tells of.
  await die(2, 'unknown_type');
  const deaths = async () => (await show((await operator.letters({ type: 'twice.v1' }))[0]!.id)).history.length;
  await waitFor(async () => (await deaths()) === 3, 'three deaths');
  await waitFor(async () => (await broker.count(deadQueueOf(QUEUE_UNDER_TEST))) === 0, 'all to be collected');
  expect(await operator.letters({ type: 'twice.v1' })).toEqual([
    expect.objectContaining({ status: 'open', deaths: 3, reason: 'retries_exhausted', last_failed_at: '2026-01-03T00:00:00.000Z' }),
  ]);
});

describe('a list', () => {
  beforeAll(async () => {
    for (let i = 0; i < 5; i++) {
      const headers = { cloudEvents_orgid: `org-${i % 2}`, [HEADER.exception]: `Error: number ${i} of ws_01k9zv6m3se4ht8v5y2q7n0xab` };
      await operator.bury(QUEUE_UNDER_TEST, `{"i":${i}}`, { messageId: `l${i}`, type: 'listed.v1' }, headers);
    }
    await waitFor(async () => (await operator.letters({ type: 'listed.v1' })).length === 5);
  });

  it('is cut by every filter', async () => {
    const count = async (filter: object) => (await operator.letters({ type: 'listed.v1', ...filter })).length;
    const one = await operator.letter({ type: 'listed.v1' });
    for (const [filter, found] of [
      [{ org_id: 'org-1' }, 2],
      [{ org_id: 'org-2' }, 0],
      [{ queue: QUEUE_UNDER_TEST }, 5],
      [{ queue: 'another' }, 0],
      [{ reason: 'invalid' }, 5],
      [{ status: 'discarded' }, 0],
      [{ ids: [one.id, 'dl_x'] }, 1],
      [{ workspace_id: 'ws_0' }, 0],
      [{ since: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' }, 5],
      [{ until: '2020-01-01T00:00:00Z' }, 0],
      [{ group: one.group }, 5],
    ] as const) {
      expect([filter, await count(filter)]).toEqual([filter, found]);
    }
  });

  it('comes in pages, newest first, without gaps', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page: { dead_letters: DeadLetterView[]; cursor?: string } = await operator.must(ListDeadLetters, {
        filter: { type: 'listed.v1' },
        limit: 2,
        ...(cursor ? { cursor } : {}),
      });
      seen.push(...page.dead_letters.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor);
    expect(seen).toEqual((await operator.letters({ type: 'listed.v1' })).map(({ id }) => id));
    expect(await operator.ask(ListDeadLetters, { filter: {}, limit: 2, cursor: 'x' })).toMatchObject({
      refusal: { code: 'invalid_cursor' },
    });
  });

  it('is grouped by what failed, with counts', async () => {
    const { groups } = await operator.must<{ groups: DeadLetterGroupView[] }>(ListDeadLetterGroups, {
      filter: { type: 'listed.v1' },
      limit: 9,
    });
    expect(groups).toEqual([expect.objectContaining({ count: 5, type: 'listed.v1', queue: QUEUE_UNDER_TEST, reason: 'invalid' })]);
  });
});

describe('a letter that is discarded', () => {
  it('keeps who did it and why, for good', async () => {
    await operator.bury(QUEUE_UNDER_TEST, '{}', { messageId: 'd', type: 'discarded.v1' });
    const { id } = await operator.letter({ type: 'discarded.v1' });
    expect(await operator.must(DiscardDeadLetter, { dead_letter_id: id, reason: 'a test run' })).toMatchObject({ id, status: 'discarded' });
    expect((await show(id)).history).toEqual([
      expect.objectContaining({ action: 'died' }),
      expect.objectContaining({ action: 'discarded', actor: 'olga', detail: { reason: 'a test run' } }),
    ]);
    for (const [message, more] of [
      [DiscardDeadLetter, { reason: 'again' }],
      [ReplayDeadLetter, {}],
    ] as const) {
      expect(await operator.ask(message, { dead_letter_id: id, ...more })).toMatchObject({
        refusal: { code: 'dead_letter_settled', details: { status: 'discarded' } },
      });
    }
    const dataSource = service.get(DataSource);
    for (const sql of ['DELETE FROM history', `UPDATE history SET actor = 'nobody'`, 'TRUNCATE history']) {
      await expect(dataSource.query(sql)).rejects.toThrow('for good');
    }
  });

  it('may be one of many, but never of all that there are', async () => {
    expect(await operator.must(DiscardDeadLetters, { filter: { type: 'listed.v1', org_id: 'org-1' }, reason: 'no' })).toEqual({
      discarded: 2,
    });
    expect(await operator.letters({ type: 'listed.v1', status: 'discarded' })).toHaveLength(2);
    expect(await operator.ask(DiscardDeadLetters, { filter: {}, reason: 'no' })).toMatchObject({ refusal: { code: 'validation_error' } });
  });

  it('is refused where there is no such one', async () => {
    expect(await operator.ask(DiscardDeadLetter, { dead_letter_id: 'x', reason: 'no' })).toMatchObject({
      refusal: { code: 'dead_letter_not_found' },
    });
  });

  it('once, however often the request comes', async () => {
    const idempotency = { key: 'k', request_hash: 'a'.repeat(64) };
    const command = { filter: { type: 'listed.v1' }, reason: 'no', idempotency };
    expect(await operator.must(DiscardDeadLetters, command)).toEqual({ discarded: 3 });
    expect(await operator.must(DiscardDeadLetters, command)).toEqual({ discarded: 3 });
    const other = { ...command, idempotency: { ...idempotency, request_hash: 'b'.repeat(64) } };
    expect(await operator.ask(DiscardDeadLetters, other)).toMatchObject({ refusal: { code: 'idempotency_key_reused' } });
  });

  it('and another operator with the same key does it for itself, as the history says', async () => {
    const discard = (actor: string) =>
      operator.ask<{ discarded: number }>(
        DiscardDeadLetters,
        { filter: { type: 'shared-key.v1' }, reason: 'no', idempotency: { key: 'shared', request_hash: 'c'.repeat(64) } },
        randomUUID(),
        actor,
      );
    const doomed = async (id: string) => {
      await operator.bury(QUEUE_UNDER_TEST, '{}', { messageId: id, type: 'shared-key.v1' });
      await waitFor(async () => (await operator.letters({ type: 'shared-key.v1', status: 'open' })).length === 1, `the letter ${id}`);
    };
    await doomed('first');
    expect(await discard('olga')).toMatchObject({ value: { discarded: 1 } });
    await doomed('second');
    expect(await discard('olga')).toMatchObject({ value: { discarded: 1 } });
    expect(await operator.letters({ type: 'shared-key.v1', status: 'open' })).toHaveLength(1);
    expect(await discard('oleg')).toMatchObject({ value: { discarded: 1 } });
    expect(await operator.letters({ type: 'shared-key.v1', status: 'open' })).toEqual([]);
    expect(await discard('olga')).toMatchObject({ value: { discarded: 1 } });
  });

  it('once for the operator whom the history names, where the version before remembered no name', async () => {
    await operator.bury(QUEUE_UNDER_TEST, '{}', { messageId: 'remembered', type: 'remembered.v1' });
    await operator.letter({ type: 'remembered.v1', status: 'open' });
    const at = new Date('2026-11-01T10:00:00.000Z');
    const source = service.get(DataSource);
    const answered = (key: string) =>
      source.query(
        `INSERT INTO ${SCHEMA}.answers (org_id, key, request_hash, answer, created_at) VALUES ('ops', $1, $2, '{"discarded": 7}', $3)
         ON CONFLICT DO NOTHING RETURNING 1`,
        [key, 'd'.repeat(64), at],
      );
    await source.query(`INSERT INTO ${SCHEMA}.history (at, action, actor) VALUES ($1, 'discarded', 'olga')`, [at]);
    expect(await answered('old')).toHaveLength(1);
    const discard = (actor: string) =>
      operator.ask(
        DiscardDeadLetters,
        { filter: { type: 'remembered.v1' }, reason: 'no', idempotency: { key: 'old', request_hash: 'd'.repeat(64) } },
        randomUUID(),
        actor,
      );
    expect(await discard('olga')).toMatchObject({ value: { discarded: 7 } });
    expect(await discard('oleg')).toMatchObject({ value: { discarded: 1 } });
    // A replica of that version finds the answer that is there.
    expect(await answered('old')).toEqual([]);
  });
});

it('while the database is away the queue holds the dead, and afterwards none is missing', async () => {
  await proxy.cut();
  for (let i = 0; i < 30; i++) await operator.bury(QUEUE_UNDER_TEST, `{"i":${i}}`, { messageId: `away-${i}`, type: 'away.v1' });
  // What is not in hand still stands there.
  expect(await broker.count(deadQueueOf(QUEUE_UNDER_TEST))).toBe(10);
  await proxy.restore();
  await waitFor(async () => (await operator.letters({ type: 'away.v1' }).catch(() => [])).length === 30, 'all thirty', 30_000);
  expect((await operator.letters({ type: 'away.v1' })).every(({ deaths }) => deaths === 1)).toBe(true);
});
