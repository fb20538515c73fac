import type { Bench } from '../bench';
import { until } from '../ground/until';
import { allEnded } from './in-flight';
import { orderOf, restarts } from './requests';

/** What one restart takes, from when it is accepted until it has succeeded. */
export interface RestartCost {
  /** Published, confirmed, consumed and acknowledged. */
  readonly messages: number;
  /** Those that write. */
  readonly transactions: number;
}

const WITHIN_MS = 60_000;

/**
 * Counts it, on so many restarts at once: published messages by the services' own counters, transactions by the ids that PostgreSQL has given out, and
 * it gives one to each that writes.
 */
export async function costOfRestart(bench: Bench, sample: number): Promise<RestartCost> {
  await bench.load.send(orderOf(bench, bench.fleet.gatewayUrl, { requests: restarts(sample), keys: true, amount: sample }), 202);
  await outboxesEmpty(bench);
  const before = await count(bench, ['lifecycle']);
  await bench.fleet.have('no-op');
  await allEnded(bench);
  await outboxesEmpty(bench);
  const after = await count(bench, ['lifecycle', 'provisioner']);
  await bench.fleet.have('none');
  return {
    // The command that was sent when it was accepted is handled here, too.
    messages: 1 + (after.published - before.published) / sample,
    transactions: (after.transactions - before.transactions) / sample,
  };
}

/** Waits until all that was to be sent is sent. */
export async function outboxesEmpty({ database }: Bench): Promise<void> {
  const sql = 'SELECT (SELECT count(*) FROM lifecycle.outbox)::int + (SELECT count(*) FROM provisioner.outbox)::int AS count';
  await until('the outboxes are empty', async () => (await database.row<{ count: number }>(sql)).count === 0, { limitMs: WITHIN_MS });
}

async function count({ database, fleet }: Bench, services: readonly string[]): Promise<{ published: number; transactions: number }> {
  const texts = await Promise.all(services.map((name) => fleet.service(name).metrics()));
  const { xmax } = await database.row<{ xmax: string }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xmax');
  return { published: texts.reduce((sum, text) => sum + publishedIn(text), 0), transactions: Number(xmax) };
}

/** What a service says that it has published, of all exchanges. */
function publishedIn(metrics: string): number {
  const samples = metrics.matchAll(/^messaging_messages_published_total\{[^}]*outcome="confirmed"[^}]*\} (\d+)/gm);
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}
