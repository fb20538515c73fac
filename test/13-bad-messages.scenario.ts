import { randomUUID } from 'node:crypto';
import { type DeadLetterView, ListTenants, newId } from '@reprise/contracts';
import { type BadMessage, CORPUS, FORBIDDEN, POSTURE, RESTART, type Sender, STOP, type Surroundings } from './corpus';
import { DEEP } from './corpus/headers';
import type { BrokerClient, Received } from './support/broker-client';
import { type Caller, eventually, must, promise, SERVICES, useStack } from './support';

const ACCEPTED = 'reprise.command.accepted.v1';
const REFUSED = 'reprise.command.refused.v1';
/** Names each message of the corpus, also in the dead letters. */
const NAME = 'x-corpus';

const WORK_QUEUES = [
  ['lifecycle', ['lifecycle.commands', 'lifecycle.events']],
  ['provisioner', ['provisioner.commands']],
  ['billing', ['billing.commands']],
] as const;

const stack = useStack();
const clients = new Map<Sender, BrokerClient>();
const letters: Received[] = [];
const restartedAfter = new Set<string>();
let around: Surroundings;
let alice: Caller;
/** What commands that must be accepted are sent to: stopped, it can be archived and taken back for ever. */
let shelf: string;

beforeAll(async () => {
  const [tenant, other] = [await stack.tenant(), await stack.tenant()];
  alice = tenant.alice;
  const [{ id: workspace }, { id: stopped }, { id: foreign }] = await Promise.all([
    alice.workspace(),
    alice.workspace(),
    other.alice.workspace(),
  ]);
  await alice.stop(stopped);
  shelf = stopped;
  const { id: operation } = await alice.restart(workspace);
  around = { org: tenant.org, workspace, operation, foreign, missing: newId('workspace') };
  clients.set('publisher', stack.publisher);
  for (const name of SERVICES) clients.set(name, await stack.brokerUser(name));
}, 180_000);

async function send(bad: BadMessage, by: BrokerClient): Promise<string> {
  const { name, as = 'publisher', type, headers, via } = bad;
  const to = {
    exchange: bad.exchange ?? (as === 'provisioner' ? 'reprise.events' : 'reprise.commands'),
    routingKey: bad.routingKey ?? type,
  };
  const body = typeof bad.body === 'function' ? bad.body(around) : bad.body;
  const standard = { cloudEvents_specversion: '1.0', cloudEvents_source: 'corpus', cloudEvents_orgid: around.org };
  return by.publish({
    type,
    ...(via ? await by.detour(via, to) : to),
    data: body,
    ...(Buffer.isBuffer(body) ? { raw: body } : {}),
    properties: { ...bad.properties, headers: { ...standard, [NAME]: encodeURIComponent(name), ...headers } },
  });
}

async function letterOf(name: string): Promise<Received> {
  return eventually(async () => {
    letters.push(...(await stack.ground.deadLetters()));
    const found = letters.find(({ headers }) => headers[NAME] === encodeURIComponent(name));
    if (!found) throw new Error(`${name} is not among the dead letters`);
    return found;
  });
}

async function endsAsItMust(bad: BadMessage): Promise<void> {
  const { end, as = 'publisher', name } = bad;
  if (end !== 'nothing' && 'barred' in end) return expect(await isBarred(bad, end.barred)).toBe(true);
  if (end !== 'nothing' && 'dead' in end) {
    if (end.orBarred && (await isBarred(bad, end.orBarred))) return;
    if (!end.orBarred) await send(bad, clients.get(as)!);
    return expect((await letterOf(name)).headers['x-reprise-dead-reason']).toMatch(new RegExp(`^(${end.dead})$`));
  }
  const id = await send(bad, clients.get(as)!);
  if (end !== 'nothing') expect((await stack.publisher.event(REFUSED, id)).data).toMatchObject({ command_id: id, code: end.refused });
}

/** Sends it on a connection of its own, which a refusal by the broker costs. @returns whether it was refused, with these words */
async function isBarred(bad: BadMessage, words: RegExp): Promise<boolean> {
  const client = await stack.brokerUser(bad.as ?? 'publisher');
  try {
    await send(bad, client);
    return false;
  } catch {
    await expect(client.lost).rejects.toThrow(words);
    return true;
  }
}

/** A good command by every way that a bad one has gone. */
async function goodOnesGoOn({ type, as }: BadMessage): Promise<void> {
  if (as) {
    // Of each type the first: a restart takes a second, and the last promise makes one more.
    if (restartedAfter.has(type)) return;
    restartedAfter.add(type);
    return void expect(await alice.restart(around.workspace)).toMatchObject({ status: 'succeeded' });
  }
  if (type === POSTURE) {
    const id = await stack.publisher.publish({ type: POSTURE, org: around.org, data: { org_id: around.org, posture: 'active' } });
    return void (await stack.publisher.event(ACCEPTED, id));
  }
  for (const verb of ['archive', 'unarchive']) {
    const id = await stack.publisher.publish({ type: `reprise.workspace.${verb}.v1`, org: around.org, data: { workspace_id: shelf } });
    await stack.publisher.event(ACCEPTED, id);
  }
}

describe('a bad message harms nobody and is not lost', () => {
  for (const bad of CORPUS) {
    promise(bad.name, async () => {
      const before = await alice.see(around.workspace);
      await endsAsItMust(bad);
      expect(await alice.see(around.workspace)).toEqual(before);
      await goodOnesGoOn(bad);
    });
  }

  promise('the same id with another body is a dead letter, and the first stands', async () => {
    const id = randomUUID();
    const about = { id, type: STOP, org: around.org };
    await stack.publisher.publish({ ...about, data: { workspace_id: around.missing } });
    await stack.publisher.event(REFUSED, id);
    await stack.publisher.publish({ ...about, data: { workspace_id: around.workspace } });
    await eventually(async () => {
      letters.push(...(await stack.ground.deadLetters()));
      expect(letters.find((letter) => letter.id === id)?.headers).toMatchObject({ 'x-reprise-dead-reason': 'message_id_reused' });
    });
    expect(await alice.see(around.workspace)).toMatchObject({ status: 'idle' });
  });

  promise('an expired message is handled or among the dead letters', async () => {
    const id = randomUUID();
    await stack.publisher.publish({
      id,
      type: STOP,
      org: around.org,
      data: { workspace_id: around.missing },
      properties: { expiration: '0' },
    });
    await eventually(async () => {
      letters.push(...(await stack.ground.deadLetters()));
      const dead = letters.find((letter) => letter.id === id);
      if (dead) return expect(dead.headers).toMatchObject({ 'x-first-death-reason': 'expired' });
      expect(stack.publisher.events.some(({ type, correlationId }) => type === REFUSED && correlationId === id)).toBe(true);
    });
  });
});

promise('a thousand bad messages hold up none of the good ones among them', async () => {
  const { publisher } = stack;
  const poison = CORPUS.filter(
    ({ end, as, body, properties }) =>
      // Those that bring the same id, or none, each time are one letter that counts its deaths.
      !(properties && 'messageId' in properties) &&
      !as &&
      end !== 'nothing' &&
      'dead' in end &&
      !(Buffer.isBuffer(body) && body.length > 1_000_000),
  );
  const bad = Array.from({ length: 1_000 }, (_, i) => ({ ...poison[i % poison.length]!, name: `load ${i}` }));
  const good: Promise<string>[] = [];
  const sent = bad.map((message, i) => {
    if (i % 10 === 0) good.push(publisher.publish({ type: STOP, org: around.org, data: { workspace_id: around.missing } }));
    return send(message, publisher);
  });
  for (const id of await Promise.all(good)) await publisher.event(REFUSED, id);
  expect(await alice.restart(around.workspace)).toMatchObject({ status: 'succeeded' });
  await Promise.all(sent);
  await eventually(async () => {
    letters.push(...(await stack.ground.deadLetters()));
    const dead = new Set(letters.map(({ headers }) => headers[NAME]));
    expect(bad.filter(({ name }) => !dead.has(encodeURIComponent(name))).map(({ name }) => name)).toEqual([]);
  });
});

for (const [what, reason, of] of [
  ['a forbidden message stays forbidden', 'forbidden', ({ end }: BadMessage) => end === FORBIDDEN],
  ['a message whose headers cannot be read stays so', 'invalid', ({ headers = {} }: BadMessage) => DEEP in headers],
] as const) {
  promise(`${what} when it is replayed, whoever replays it`, async () => {
    const bad = [...CORPUS].reverse().find(of)!;
    const name = `replayed: ${bad.name}`;
    const id = await send({ ...bad, name }, clients.get(bad.as ?? 'publisher')!);
    await letterOf(name);
    const olga = stack.operators().as('olga', ['ops:read', 'ops:write']);
    const letter = async (): Promise<DeadLetterView> =>
      must(200, await olga.get<{ dead_letters: DeadLetterView[] }>(`/v1/ops/dead-letters?reason=${reason}&limit=200`)).dead_letters.find(
        ({ message_id }) => message_id === id,
      )!;
    must(202, await olga.post(`/v1/ops/dead-letters/${(await letter()).id}/replay`));
    await eventually(async () => expect(await letter()).toMatchObject({ status: 'failed_again', reason, deaths: 2, replays: 1 }));
  });
}

promise('a query that its sender may not ask is not answered', async () => {
  const asked = { type: ListTenants.type, data: { limit: 1 }, exchange: 'reprise.queries' };
  expect(await clients.get('lifecycle')!.ask(asked)).toMatchObject({ status: 'failed', reason: 'forbidden' });
  expect(await clients.get('gateway')!.ask(asked)).toMatchObject({ status: 'done' });
});

promise('after all of it every service is the process that it was, and nothing is left to be tried again', async () => {
  for (const name of SERVICES) {
    expect([name, (await fetch(`${stack.service(name).url}/health/ready`)).status]).toEqual([name, 200]);
    expect(stack.service(name).log()).not.toMatch(/uncaught|unhandled/i);
  }
  // Nothing was answered into the queue of a service.
  letters.push(...(await stack.ground.deadLetters()));
  expect(letters.filter(({ type }) => type === 'reply')).toEqual([]);
  const id = await stack.publisher.publish({ type: RESTART, org: around.org, data: { workspace_id: around.workspace } });
  await stack.publisher.event('reprise.operation.succeeded.v1', id);
  for (const [service, queues] of WORK_QUEUES) {
    const owner = await stack.brokerUser(service);
    for (const queue of queues.flatMap((name) => ['5s', '30s', '5m'].map((delay) => `${name}.retry.${delay}`))) {
      expect([queue, (await owner.drain(queue)).map(({ type }) => type)]).toEqual([queue, []]);
    }
  }
});
