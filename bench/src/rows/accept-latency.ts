import type { Bench, Row } from '../bench';
import { lineOfRounds, roundsOf } from '../harness/line';
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
    const seconds = bench.amount(5, 2);
    const count = Math.min(10_000, Math.floor(perSecond * seconds));
    const order = { requests: restarts(count), keys: true, perSecond, amount: count };
    const p99 = { ours: [] as number[], echo: [] as number[] };
    const figures = await inTurns(
      {
        ours: async () => {
          const result = await bench.load.send(orderOf(bench, bench.fleet.gatewayUrl, order), 202);
          await bench.worlds.rest();
          p99.ours.push(result.p99);
          return result.p50;
        },
        echo: async () => {
          const result = await bench.load.send(orderOf(bench, bench.echo.url, order), 202);
          p99.echo.push(result.p99);
          return result.p50;
        },
      },
      bench.turns,
    );
    const about = { row: 'accept-latency', unit: 'ms', note: `at ${Math.round(perSecond)} a second` } as const;
    const beside = 'bare echo, same rate';
    // The first turn of each warmed up, as it did for the p50.
    const [ours, echo] = [p99.ours.slice(1), p99.echo.slice(1)];
    return [
      lineOfRounds({ ...about, what: 'accept, p50', goal: { at: 'most', value: 2.5 } }, beside, roundsOf(figures.ours, figures.echo)),
      lineOfRounds({ ...about, what: 'accept, p99', goal: { at: 'most', value: 3 } }, beside, roundsOf(ours, echo)),
    ];
  },
};

/** Half of what the row `accept` has found; where that was not measured, of what a short run finds. */
export async function halfLoad(bench: Bench): Promise<number> {
  bench.found.acceptedPerSecond ??= await acceptedPerSecond(bench, 3_000);
  return bench.found.acceptedPerSecond / 2;
}
