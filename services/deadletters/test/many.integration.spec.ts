import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type INestApplication, Logger } from '@nestjs/common';
import { EXCHANGE, ListDeadLetterGroups, QUEUE, ReplayDeadLetters, type ReplayView, SetTenantPosture } from '@reprise/contracts';
import { HEADER } from '@reprise/messaging';
import { DataSource } from 'typeorm';
import { TestBroker, TestDatabase, waitFor } from '../../../libs/messaging/test/support';
import { startBilling } from '../../billing/test/support/start-billing';
import { Operator } from './support/operator';
import { startDeadletters } from './support/start-deadletters';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Ten thousand on request: REPRISE_LONG_TESTS=1. */
const COUNT = process.env.REPRISE_LONG_TESTS === '1' ? 10_000 : 1_000;
const HALF = COUNT / 2;
const RATE = 10_000;
const LIMIT_MS = 300_000;

let broker: TestBroker;
let database: TestDatabase;
let service: INestApplication;
let billing: INestApplication;
let operator: Operator;
/** A connection of the test's own, which does not queue behind those of the services. */
let onlooker: DataSource;

beforeAll(async () => {
  Logger.overrideLogger(false);
  [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
  [service, billing] = [await startDeadletters(broker, database), await startBilling(broker, database)];
  operator = new Operator(broker);
  onlooker = await new DataSource({ type: 'postgres', url: database.url, poolSize: 1, installExtensions: false }).initialize();
}, 60_000);

afterAll(async () => {
  await Promise.all([operator?.close(), onlooker?.destroy()]);
  await Promise.all([service?.close(), billing?.close()]);
  await Promise.all([broker?.drop(), database?.drop()]);
}, 60_000);

/** Sets the posture of a tenant of its own; a second effect of the first half would undo what has been set since. */
async function publish(exchange: string, key: string, from: number, to: number, posture: string, id: string, headers = {}): Promise<void> {
  const userId = new URL(broker.url).username;
  for (let i = from; i < to; i++) {
    const body = Buffer.from(JSON.stringify({ org_id: `org-${i}`, posture, trial_ends_at: null }));
    const properties = { type: SetTenantPosture.type, messageId: `${id}-${i}`, contentType: 'application/json', persistent: true, userId };
    broker.channel.publish(exchange, key, body, { ...properties, headers: { cloudEvents_specversion: '1.0', ...headers } });
    if (i % 500 === 0) await broker.channel.waitForConfirms();
  }
  await broker.channel.waitForConfirms();
}

it(
  `a replay of ${COUNT} messages, half of which are applied already, has no second effect, loses none, and takes no more memory`,
  async () => {
    const sql = (text: string) => onlooker.query<{ n: number }[]>(text);
    const one = async (text: string) => (await sql(text))[0]?.n;
    const postures = (posture: string) => one(`SELECT count(*)::int AS n FROM billing.tenants WHERE posture = '${posture}'`);
    const applied = () => one(`SELECT count(*)::int AS n FROM billing.inbox`);

    await publish(EXCHANGE.commands, SetTenantPosture.type, 0, HALF, 'active', 'm');
    await waitFor(async () => (await postures('active')) === HALF, 'the first half', LIMIT_MS);
    await publish(EXCHANGE.commands, SetTenantPosture.type, 0, HALF, 'past_due', 'since');
    await waitFor(async () => (await postures('past_due')) === HALF, 'what was set since', LIMIT_MS);

    const buriedAt = performance.now();
    const story = {
      [HEADER.deadReason]: 'retries_exhausted',
      [HEADER.lastFailure]: new Date().toISOString(),
      [HEADER.attempts]: 4,
      [HEADER.userId]: new URL(broker.url).username,
    };
    await publish(EXCHANGE.dead, QUEUE.billingCommands, 0, COUNT, 'active', 'm', story);
    const count = async () =>
      (await operator.must<{ groups: { count: number; group: string }[] }>(ListDeadLetterGroups, { filter: {}, limit: 9 })).groups;
    const groups = await waitFor(
      async () => {
        const found = await count();
        return found[0]?.count === COUNT && found;
      },
      'the dead to be collected',
      LIMIT_MS,
    );
    const collectedMs = performance.now() - buriedAt;
    expect(groups).toHaveLength(1);

    const memory = new Memory();
    const replayedAt = performance.now();
    const { id } = await operator.must<ReplayView>(ReplayDeadLetters, { filter: { group: groups[0]!.group }, rate_per_second: RATE });
    const replay = await operator.ended(id, LIMIT_MS);
    const replayedMs = performance.now() - replayedAt;
    await waitFor(async () => (await applied()) === COUNT + HALF, 'all to be applied', LIMIT_MS);
    await waitFor(async () => (await broker.count(QUEUE.billingCommands)) === 0, 'the queue to be empty', LIMIT_MS);
    const grown = memory.stop();

    expect(replay).toMatchObject({ total: COUNT, done: COUNT, failed_again: 0, pending: 0 });
    // Every one of the second half once; nothing of the first half a second time.
    expect([await postures('active'), await postures('past_due')]).toEqual([HALF, HALF]);
    expect(await applied()).toBe(COUNT + HALF);
    process.stdout.write(
      `${COUNT} dead letters: collected in ${ms(collectedMs)} (${perSecond(collectedMs)} a second), replayed in ${ms(replayedMs)} ` +
        `(${perSecond(replayedMs)} a second); live memory of both services at most ${grown.toFixed(1)} MiB above the start; second effects 0, lost 0\n`,
    );
    expect(grown).toBeLessThan(32);
  },
  2 * LIMIT_MS,
);

const ms = (time: number): string => `${(time / 1000).toFixed(1)} s`;
const perSecond = (time: number): number => Math.round((COUNT * 1000) / time);

/** The most that what is really held has grown, measured while something runs: after a collection each time, or garbage would count. */
class Memory {
  private readonly start = used();
  private most = 0;
  private readonly timer = setInterval(() => (this.most = Math.max(this.most, used() - this.start)), 1_000);

  stop(): number {
    clearInterval(this.timer);
    return this.most / 1_048_576;
  }
}

function used(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
