import type { Row } from '../bench';
import { lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import { World } from '../ground/worlds';
import { orderOf, reads } from './requests';

const WORKSPACES = 100_000;

export const read: Row = {
  name: 'read',
  about: `reads a second of one workspace, and of a page of 50 of a tenant's ${WORKSPACES.toLocaleString('en')}, beside the echo`,
  async measure(bench) {
    await bench.fleet.have('none');
    await bench.worlds.enter(new World('one tenant', { workspaces: WORKSPACES, tenants: 1, refusing: false }));
    const seconds = bench.amount(1.5, 1);
    const one = { requests: reads(WORKSPACES, 1).filter((_, at) => at % 37 === 0), keys: false, seconds };
    const page = { requests: [{ method: 'GET', path: '/v1/workspaces?limit=50', token: 0 }], keys: false, seconds } as const;
    const figures = await inTurns(
      {
        one: async () => (await bench.load.send(orderOf(bench, bench.fleet.gatewayUrl, one), 200)).perSecond,
        page: async () => (await bench.load.send(orderOf(bench, bench.fleet.gatewayUrl, page), 200)).perSecond,
        echo: async () => (await bench.load.send(orderOf(bench, bench.echo.url, one), 200)).perSecond,
      },
      bench.turns,
    );
    const about = { row: 'read', unit: '/s' } as const;
    const beside = 'bare echo, noDelay';
    return [
      lineOfRounds({ ...about, what: 'one workspace', goal: { at: 'least', value: 0.7 } }, beside, roundsOf(figures.one, figures.echo)),
      lineOfRounds({ ...about, what: 'a page of 50', goal: { at: 'least', value: 0.35 } }, beside, roundsOf(figures.page, figures.echo)),
    ];
  },
};
