import type { Bench, Row } from '../bench';
import { TENANTS } from '../ground/callers';
import { copyTables } from '../ground/bare-tables';
import { median } from '../harness/arithmetic';
import { lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import type { AcceptLoopOrder } from '../peers/accept-loop';
import { CONNECTIONS, orderOf, restarts } from './requests';
import { TEN_THOUSAND } from './worlds';

const CLIENTS = 8;
/** Of one round at most: a slow machine restarts fewer of them. */
const SECONDS = 3;
/** An echo does several times as much, and all of it is alike. */
const ECHO_SECONDS = 1.5;

export const accept: Row = {
  name: 'accept',
  about: 'restarts accepted a second, beside a bare echo and beside the accept transaction alone',
  async measure(bench) {
    // The provisioner stands still: what it does with what was accepted is measured by `whole`, and would take this one's cores.
    await bench.fleet.have('none');
    await bench.worlds.enter(TEN_THOUSAND);
    await copyTables(bench.database);
    const count = bench.amount(10_000, 2_000);
    const loop = bench.helper('accept-loop');
    const order: AcceptLoopOrder = {
      databaseUrl: bench.database.url,
      clients: CLIENTS,
      transactions: 2_000,
      tenants: TENANTS,
    };
    // The echo has compiled all that it has within its first turn; ours, which has far more, has not.
    for (let turn = 0; turn < bench.amount(2, 0); turn += 1) await acceptedPerSecond(bench, count);
    const figures = await inTurns(
      {
        ours: () => acceptedPerSecond(bench, count),
        echo: async () => {
          const requests = restarts(count);
          return (
            await bench.load.send(orderOf(bench, bench.echo.url, { requests, keys: true, amount: count, seconds: ECHO_SECONDS }), 202)
          ).perSecond;
        },
        transactions: () => loop.ask<number>(order),
      },
      bench.turns,
    );
    bench.found.acceptedPerSecond = median(figures.ours);
    const about = { row: 'accept', unit: '/s' } as const;
    return [
      lineOfRounds(
        { ...about, what: 'restarts accepted', goal: { at: 'least', value: 0.4 } },
        'bare echo, noDelay',
        roundsOf(figures.ours, figures.echo),
      ),
      lineOfRounds(
        { ...about, what: 'restarts accepted', goal: { at: 'least', value: 0.3 } },
        `accept transaction, ${CLIENTS} clients`,
        roundsOf(figures.ours, figures.transactions),
      ),
    ];
  },
};

/** One round: each workspace is restarted once, as far as time allows; then all is put back at rest, which is not measured. */
export async function acceptedPerSecond(
  bench: Bench,
  count: number,
  { connections = CONNECTIONS, seconds = SECONDS } = {},
): Promise<number> {
  const order = orderOf(bench, bench.fleet.gatewayUrl, { requests: restarts(count), keys: true, amount: count, seconds, connections });
  const { perSecond } = await bench.load.send(order, 202);
  await bench.worlds.rest();
  return perSecond;
}
