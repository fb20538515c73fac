import type { Bench, Row } from '../bench';
import { TENANTS } from '../ground/callers';
import { World } from '../ground/worlds';
import { lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import type { RestartLoopOrder } from '../peers/restart-loop';
import { allEnded, succeededPerSecond } from './in-flight';
import { orderOf, restarts } from './requests';
import { costOfRestart } from './restart-cost';

/** On which it is counted what a restart takes; it warms up what is to be warm, too. */
const SAMPLE = 200;
/** What all rounds together have where they are not too slow for it. */
const BACKLOG = 20_000;
const ROUND_SECONDS = 5;

export const whole: Row = {
  name: 'whole',
  about: 'whole restarts a second out of a backlog, with pods that are there at once, beside their messages and transactions in bare loops',
  async measure(bench) {
    const most = bench.options.backlog ?? BACKLOG;
    await bench.fleet.have('none');
    await bench.worlds.enter(new World('backlog', { workspaces: most + SAMPLE, tenants: TENANTS, refusing: false }));
    await bench.worlds.forgetJobs();
    const { perSecond, ...cost } = await costOfRestart(bench, SAMPLE);
    const inTime = Math.ceil(perSecond * bench.amount(ROUND_SECONDS, 5));
    const backlog = bench.options.backlog ?? Math.max(SAMPLE, Math.min(inTime, Math.floor(BACKLOG / bench.turns.rounds)));
    const loop = bench.helper('restart-loop');
    const order: RestartLoopOrder = {
      databaseUrl: bench.database.url,
      amqpUrl: bench.broker.adminUrl,
      restarts: bench.amount(700, 500),
      ...cost,
    };
    const rounds = bench.options.backlog === null ? bench.turns.rounds : 1;
    const figures = await inTurns(
      { ours: () => wholePerSecond(bench, backlog), loops: () => loop.ask<number>(order) },
      { ...bench.turns, rounds, warmUp: false },
    );
    const note = `${cost.messages.toFixed(1)} messages and ${cost.transactions.toFixed(1)} writing transactions a restart; ${rounds} backlogs of ${backlog}`;
    return [
      lineOfRounds(
        { row: 'whole', what: 'restarts that succeed', unit: '/s', goal: { at: 'least', value: 0.35 }, note },
        'messages and transactions in bare loops',
        roundsOf(figures.ours, figures.loops),
      ),
    ];
  },
};

/** So many are accepted while no provisioner runs; then one begins. @returns how many succeed a second, from the first to the last */
async function wholePerSecond(bench: Bench, backlog: number): Promise<number> {
  const order = orderOf(bench, bench.fleet.gatewayUrl, { requests: restarts(backlog), keys: true, amount: backlog });
  await bench.load.send(order, 202);
  const { now } = await bench.database.row<{ now: Date }>('SELECT clock_timestamp() AS now');
  await bench.fleet.have('no-op');
  await allEnded(bench);
  await bench.fleet.have('none');
  return succeededPerSecond(bench, now);
}
