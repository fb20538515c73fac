import type { Bench, Row } from '../bench';
import { lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import type { LoadRequest } from '../load/load-order';
import { orderOf, restarts } from './requests';
import { TEN_THOUSAND } from './worlds';

export const refuse: Row = {
  name: 'refuse',
  about: '409s a second, half of busy workspaces and half of archived ones, beside the echo',
  async measure(bench) {
    await bench.fleet.have('none');
    await bench.worlds.enter(TEN_THOUSAND);
    const requests = refused();
    const figures = await inTurns(
      {
        keyed: () => perSecond(bench, bench.fleet.gatewayUrl, requests, true, 409),
        plain: () => perSecond(bench, bench.fleet.gatewayUrl, requests, false, 409),
        echo: () => perSecond(bench, bench.echo.url, requests, true, 202),
      },
      bench.turns,
    );
    const about = { row: 'refuse', unit: '/s', goal: { at: 'least', value: 0.55 } } as const;
    const beside = 'bare echo, noDelay';
    return [
      lineOfRounds(
        { ...about, what: '409s, with idempotency keys', note: 'each is written down, to be given again' },
        beside,
        roundsOf(figures.keyed, figures.echo),
      ),
      lineOfRounds({ ...about, what: '409s, without keys' }, beside, roundsOf(figures.plain, figures.echo)),
    ];
  },
};

/** Busy and archived ones, one after the other. */
function refused(): LoadRequest[] {
  const { busyFrom, archivedFrom, of } = TEN_THOUSAND.refusing;
  const [busy, archived] = [restarts(of, busyFrom), restarts(of, archivedFrom)];
  return busy.flatMap((request, at) => [request, archived[at] ?? request]);
}

async function perSecond(bench: Bench, url: string, requests: LoadRequest[], keys: boolean, status: number): Promise<number> {
  const order = orderOf(bench, url, { requests, keys, seconds: bench.amount(1.5, 1) });
  return (await bench.load.send(order, status)).perSecond;
}
