import type { Bench, Row } from '../bench';
import { TENANTS } from '../ground/callers';
import { World } from '../ground/worlds';
import { lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import type { RestartLoopOrder } from '../peers/restart-loop';
import { allEnded, succeededPerSecond } from './in-flight';
import { orderOf, restarts } from './requests';
import { costOfRestart, outboxesEmpty } from './restart-cost';

/** On which it is counted what a restart takes; it warms up what is to be warm, too. */
const SAMPLE = 200;
/** Gone by before the first round, so that the provisioner's code is compiled by then. */
const WARM_UP = 400;
/** As many as a round may have: the provisioner may be held for as long as it takes to accept them, and no longer. */
const MOST = 2_000;
const ROUND_SECONDS = 5;

export const whole: Row = {
  name: 'whole',
  about: 'whole restarts a second out of a backlog, with pods that are there at once, beside their messages and transactions in bare loops',
  async measure(bench) {
    const { backlog: inOne } = bench.options;
    const workspaces = Math.max(inOne ?? MOST, WARM_UP) + SAMPLE;
    await bench.fleet.have('none');
    await bench.worlds.enter(new World('backlog', { workspaces, tenants: TENANTS, refusing: false }));
    await bench.worlds.forgetJobs();
    const cost = await costOfRestart(bench, SAMPLE);
    await bench.fleet.have('no-op');
    const warm = await heldBack(bench, bench.amount(WARM_UP, 50));
    const backlog = inOne ?? Math.max(SAMPLE, Math.min(Math.ceil(warm * bench.amount(ROUND_SECONDS, 5)), MOST));
    const loop = bench.helper('restart-loop');
    const order: RestartLoopOrder = {
      databaseUrl: bench.database.url,
      amqpUrl: bench.broker.adminUrl,
      restarts: 500,
      ...cost,
    };
    const rounds = inOne === null ? bench.turns.rounds : 1;
    const ours = (): Promise<number> => (inOne === null ? heldBack(bench, backlog) : withoutProvisioner(bench, backlog));
    const figures = await inTurns({ ours, loops: () => loop.ask<number>(order) }, { ...bench.turns, rounds, warmUp: false });
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

/** So many are accepted while the provisioner is held; then it goes on. @returns how many succeed a second, from the first to the last */
async function heldBack(bench: Bench, backlog: number): Promise<number> {
  const provisioner = bench.fleet.service('provisioner');
  return succeeding(
    bench,
    backlog,
    () => provisioner.hold(),
    () => provisioner.goOn(),
  );
}

/** The same for a backlog that takes longer than anyone can be held: it is accepted while no provisioner runs, and then one begins. */
async function withoutProvisioner(bench: Bench, backlog: number): Promise<number> {
  return succeeding(
    bench,
    backlog,
    () => bench.fleet.have('none'),
    () => bench.fleet.have('no-op'),
  );
}

async function succeeding(bench: Bench, backlog: number, without: () => unknown, withIt: () => unknown): Promise<number> {
  await without();
  try {
    const order = orderOf(bench, bench.fleet.gatewayUrl, { requests: restarts(backlog), keys: true, amount: backlog });
    await bench.load.send(order, 202);
    await outboxesEmpty(bench);
  } finally {
    await withIt();
  }
  const { now } = await bench.database.row<{ now: Date }>('SELECT clock_timestamp() AS now');
  await allEnded(bench);
  return succeededPerSecond(bench, now);
}
