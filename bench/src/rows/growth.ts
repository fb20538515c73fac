import type { Bench, Row } from '../bench';
import { TENANTS } from '../ground/callers';
import { World } from '../ground/worlds';
import { type Line, lineOfRounds, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import type { LoadRequest } from '../load/load-order';
import { halfLoad } from './accept-latency';
import { orderOf, reads, restarts } from './requests';
import { TEN_THOUSAND } from './worlds';

const SMALL = 1_000;
/** So that the small one has enough workspaces for a round. */
const MOST_PER_SECOND = 250;

export const growth: Row = {
  name: 'growth',
  about:
    'the latency of accept and read at 1,000,000 workspaces beside that at 1,000, and with 3 replicas of lifecycle beside that with one',
  async measure(bench) {
    await bench.fleet.have('none');
    await bench.worlds.enter(TEN_THOUSAND);
    const perSecond = Math.min(MOST_PER_SECOND, await halfLoad(bench));
    const byReplicas = await replicas(bench, perSecond);
    return [...(await sizes(bench, perSecond)), ...byReplicas];
  },
};

async function sizes(bench: Bench, perSecond: number): Promise<Line[]> {
  const large = bench.amount(1_000_000, 50_000);
  const count = Math.floor(perSecond * bench.amount(4, 2));
  const world = (workspaces: number): World => new World(`of ${workspaces}`, { workspaces, tenants: TENANTS, refusing: false });
  /** Spread over all of them, so that no more of them are in a cache than at random. */
  const of = (all: (count: number) => LoadRequest[], workspaces: number): LoadRequest[] => {
    const step = Math.floor(workspaces / count);
    return all(workspaces)
      .filter((_, at) => at % step === 0)
      .slice(0, count);
  };
  const [small, big] = [world(SMALL), world(large)];
  const accepts = await inTurns(
    {
      large: () => p50(bench, big, of(restarts, large), perSecond),
      small: () => p50(bench, small, of(restarts, SMALL), perSecond),
    },
    bench.turns,
  );
  const looks = await inTurns(
    {
      large: () =>
        p50(
          bench,
          big,
          of((all) => reads(all, TENANTS), large),
          perSecond,
        ),
      small: () =>
        p50(
          bench,
          small,
          of((all) => reads(all, TENANTS), SMALL),
          perSecond,
        ),
    },
    bench.turns,
  );
  const title = `at ${large.toLocaleString('en')} workspaces`;
  const beside = `at ${SMALL.toLocaleString('en')}`;
  return linesOf(title, beside, perSecond, roundsOf(accepts.large, accepts.small), roundsOf(looks.large, looks.small));
}

async function replicas(bench: Bench, perSecond: number): Promise<Line[]> {
  const count = Math.floor(perSecond * bench.amount(4, 2));
  const with_ = async (replicas: 1 | 3, requests: LoadRequest[]): Promise<number> => {
    await bench.fleet.lifecycles(replicas);
    return p50(bench, TEN_THOUSAND, requests, perSecond);
  };
  const accepts = await inTurns({ three: () => with_(3, restarts(count)), one: () => with_(1, restarts(count)) }, bench.turns);
  const looks = await inTurns({ three: () => with_(3, reads(count, TENANTS)), one: () => with_(1, reads(count, TENANTS)) }, bench.turns);
  await bench.fleet.lifecycles(1);
  return linesOf('with 3 replicas', 'with 1', perSecond, roundsOf(accepts.three, accepts.one), roundsOf(looks.three, looks.one));
}

/** The p50 of these requests, each once, in milliseconds; restarts are put back at rest afterwards. */
async function p50(bench: Bench, world: World, requests: LoadRequest[], perSecond: number): Promise<number> {
  await bench.worlds.enter(world);
  const posts = requests[0]?.method === 'POST';
  const order = orderOf(bench, bench.fleet.gatewayUrl, { requests, keys: posts, perSecond, amount: requests.length });
  const result = await bench.load.send(order, posts ? 202 : 200);
  if (posts) await bench.worlds.rest();
  return result.p50;
}

function linesOf(
  title: string,
  beside: string,
  perSecond: number,
  accepts: ReturnType<typeof roundsOf>,
  looks: ReturnType<typeof roundsOf>,
): Line[] {
  const about = { row: 'growth', unit: 'ms', goal: { at: 'most', value: 1.15 }, note: `p50 at ${Math.round(perSecond)} a second` } as const;
  return [
    lineOfRounds({ ...about, what: `accept ${title}` }, beside, accepts),
    lineOfRounds({ ...about, what: `read ${title}` }, beside, looks),
  ];
}
