import type { Bench, Row } from '../bench';
import { lineOfRounds, type Round, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import { acceptedPerSecond } from './accept';
import { orderOf, restarts } from './requests';
import { TEN_THOUSAND } from './worlds';

export const acceptLatency: Row = {
  name: 'accept-latency',
  about: 'how long an accepted restart takes at half of what is accepted at most, beside the echo at the same rate',
  async measure(bench) {
    await bench.fleet.have('none');
    await bench.worlds.enter(TEN_THOUSAND);
    const perSecond = await halfLoad(bench);
    const count = Math.min(10_000, Math.floor(perSecond * bench.amount(2, 2)));
    const order = { requests: restarts(count), keys: true, perSecond, amount: count };
    const figures = await inTurns(
      {
        ours: async () => {
          const result = await bench.load.send(orderOf(bench, bench.fleet.gatewayUrl, order), 202);
          await bench.worlds.rest();
          return result;
        },
        echo: () => bench.load.send(orderOf(bench, bench.echo.url, order), 202),
      },
      bench.turns,
    );
    const about = { row: 'accept-latency', unit: 'ms', note: `at ${Math.round(perSecond)} a second` } as const;
    const rounds = (of: 'p50' | 'p99'): Round[] => roundsOf(figures.ours, figures.echo, (result) => result[of]);
    return [
      lineOfRounds({ ...about, what: 'accept, p50', goal: { at: 'most', value: 2.5 } }, 'bare echo, same rate', rounds('p50')),
      lineOfRounds({ ...about, what: 'accept, p99', goal: { at: 'most', value: 3 } }, 'bare echo, same rate', rounds('p99')),
    ];
  },
};

/** Half of what the row `accept` has found; where that was not measured, of what a short run finds. */
async function halfLoad(bench: Bench): Promise<number> {
  bench.found.acceptedPerSecond ??= await acceptedPerSecond(bench, 3_000);
  return bench.found.acceptedPerSecond / 2;
}
