import type { Bench, Row } from '../bench';
import { TENANTS } from '../ground/callers';
import { until } from '../ground/until';
import { World } from '../ground/worlds';
import { lineOfRounds, roundsOf } from '../harness/line';
import type { RestartLoopOrder } from '../peers/restart-loop';
import { orderOf, restarts } from './requests';
import { costOfRestart } from './restart-cost';

const SAMPLE = 200;
/** How long the provisioner works in one round, at most. */
const ROUND_MS = 10_000;
const STALLED_AFTER_MS = 120_000;

export const whole: Row = {
  name: 'whole',
  about: 'whole restarts a second out of a backlog, with pods that are there at once, beside their messages and transactions in bare loops',
  async measure(bench) {
    const { rounds, signal } = bench.turns;
    const backlog = bench.amount(20_000, 2_000);
    const perRound = Math.floor(backlog / rounds);
    await bench.fleet.have('none');
    await bench.worlds.enter(new World('backlog', { workspaces: backlog + SAMPLE + 200, tenants: TENANTS, refusing: false }));
    await bench.worlds.forgetJobs();
    const cost = await costOfRestart(bench, SAMPLE, backlog);
    // They are not of the backlog.
    await bench.worlds.forgetJobs();
    await bench.database.run(`DELETE FROM lifecycle.operations WHERE kind = 'restart'`);
    const loop = bench.helper('restart-loop');
    const order: RestartLoopOrder = { databaseUrl: bench.database.url, amqpUrl: bench.broker.adminUrl, restarts: perRound, ...cost };
    await acceptAll(bench, backlog);
    const [ours, limits] = [[] as number[], [] as number[]];
    for (let round = 1; round <= rounds; round += 1) {
      signal.throwIfAborted();
      ours.push(await wholePerSecond(bench, round === rounds ? backlog : round * perRound));
      limits.push(await loop.ask<number>({ ...order, restarts: bench.amount(1_000, 500) }));
    }
    const note = `${cost.messages.toFixed(1)} messages and ${cost.transactions.toFixed(1)} writing transactions a restart; ${rounds} parts of one backlog of ${backlog}`;
    return [
      lineOfRounds(
        { row: 'whole', what: 'restarts that succeed', unit: '/s', goal: { at: 'least', value: 0.35 }, note },
        'messages and transactions in bare loops',
        roundsOf(ours, limits),
      ),
    ];
  },
};

/** Restarts all of them, with nobody to do it. */
async function acceptAll(bench: Bench, count: number): Promise<void> {
  await bench.load.send(orderOf(bench, bench.fleet.gatewayUrl, { requests: restarts(count), keys: true, amount: count }), 202);
}

/** Lets the provisioner work until so many of the backlog are done, or for as long as a round may take. @returns how many succeeded a second, from the first to the last */
async function wholePerSecond(bench: Bench, total: number): Promise<number> {
  const { now: since } = await bench.database.row<{ now: Date }>('SELECT clock_timestamp() AS now');
  await bench.fleet.have('no-op');
  const end = performance.now() + bench.amount(ROUND_MS, ROUND_MS / 2);
  await progress(bench, `the provisioner has done ${total} restarts`, ({ done }) => done >= total || performance.now() > end);
  await bench.fleet.have('none');
  // Lifecycle may be behind the provisioner, and would be still at it while the limit is measured.
  await progress(bench, 'lifecycle has heard of all that is done', ({ succeeded, done }) => succeeded >= done);
  const { count, seconds } = await bench.database.row<{ count: number; seconds: number }>(
    `SELECT count(*)::int AS count, extract(epoch FROM max(finished_at) - min(finished_at))::float8 AS seconds
       FROM lifecycle.operations WHERE kind = 'restart' AND status = 'succeeded' AND finished_at >= $1`,
    [since],
  );
  return (count - 1) / seconds;
}

interface Progress {
  /** As the provisioner knows it. */
  readonly done: number;
  /** As lifecycle does. */
  readonly succeeded: number;
}

/** @throws Error where nothing moves any more */
async function progress(bench: Bench, what: string, reached: (progress: Progress) => boolean): Promise<void> {
  let [last, changed] = ['', performance.now()];
  await until(
    what,
    async () => {
      const now = await bench.database.row<Progress & Record<string, number>>(
        `SELECT (SELECT count(*)::int FROM provisioner.jobs WHERE status = 'succeeded') AS done,
                (SELECT count(*)::int FROM lifecycle.operations WHERE kind = 'restart' AND status = 'succeeded') AS succeeded`,
      );
      if (JSON.stringify(now) !== last) [last, changed] = [JSON.stringify(now), performance.now()];
      if (performance.now() - changed > STALLED_AFTER_MS) throw new Error(`${what}: nothing moves any more at ${last}`);
      return reached(now);
    },
    { limitMs: Infinity, everyMs: 500, signal: bench.turns.signal },
  );
}
