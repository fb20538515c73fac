import type { Bench, Row } from '../bench';
import { TENANTS } from '../ground/callers';
import { World } from '../ground/worlds';
import { type Line, lineOfRounds, type Round, roundsOf } from '../harness/line';
import { inTurns } from '../harness/turns';
import type { LoadRequest, LoadResult } from '../load/load-order';
import { acceptedPerSecond } from './accept';
import { orderOf, reads, restarts } from './requests';
import { TEN_THOUSAND } from './worlds';

const SMALL = 1_000;
/** Far from where requests wait for each other, whatever the machine accepts at most: what grows is to be seen, not the queue before it. */
const PER_SECOND = 50;

export const growth: Row = {
  name: 'growth',
  about:
    'the latency of accept and read at 1,000,000 workspaces beside that at 1,000, and with 3 replicas of lifecycle beside that with one',
  async measure(bench) {
    await bench.fleet.have('none');
    await bench.worlds.enter(TEN_THOUSAND);
    return [...(await sizes(bench)), ...(await replicas(bench))];
  },
};

/** The one of a million; seeding it takes longest of all. */
export function largeWorld(bench: Bench): World {
  return worldOf(bench.amount(1_000_000, 50_000));
}

function worldOf(workspaces: number): World {
  return new World(`of ${workspaces}`, { workspaces, tenants: TENANTS, refusing: false });
}

async function sizes(bench: Bench): Promise<Line[]> {
  const world = largeWorld(bench);
  const large = world.seed.workspaces;
  const figures = await inTurns({ large: () => latencies(bench, world), small: () => latencies(bench, worldOf(SMALL)) }, bench.turns);
  const rounds = (of: keyof Latencies): Round[] => roundsOf(figures.large, figures.small, (each) => each[of]);
  return linesOf(`at ${large.toLocaleString('en')} workspaces`, `at ${SMALL.toLocaleString('en')}`, rounds);
}

async function replicas(bench: Bench): Promise<Line[]> {
  const withReplicas = async (replicas: 1 | 3): Promise<Latencies> => {
    const haveStarted = await bench.fleet.lifecycles(replicas);
    // At rest again: the turn before has left some restarts.
    await bench.worlds.enter(TEN_THOUSAND);
    if (haveStarted) await warm(bench, replicas);
    return latencies(bench, TEN_THOUSAND);
  };
  const figures = await inTurns({ three: () => withReplicas(3), one: () => withReplicas(1) }, { ...bench.turns, warmUp: false });
  await bench.fleet.lifecycles(1);
  const rounds = (of: keyof Latencies): Round[] => roundsOf(figures.three, figures.one, (each) => each[of]);
  return linesOf('with 3 replicas', 'with 1', rounds);
}

/** Compilers have seen nothing yet in those that have just started, and each gets but its share. */
async function warm(bench: Bench, replicas: number): Promise<void> {
  const order = orderOf(bench, bench.fleet.gatewayUrl, { requests: reads(500, TENANTS), keys: false, seconds: replicas * 0.5 });
  await bench.load.send(order, 200);
  await acceptedPerSecond(bench, TEN_THOUSAND.seed.workspaces, { seconds: replicas });
}

/** Of each the p50, in milliseconds. */
interface Latencies {
  readonly accept: number;
  readonly read: number;
}

/** On workspaces that lie evenly among all of them, so that no more of them are in a cache than would be by chance. */
async function latencies(bench: Bench, world: World): Promise<Latencies> {
  await bench.worlds.enter(world);
  const amount = Math.floor(PER_SECOND * bench.amount(1.5, 1));
  const step = Math.floor(world.seed.workspaces / amount);
  const spread = (all: LoadRequest[]): LoadRequest[] => all.filter((_, at) => at % step === 0).slice(0, amount);
  const { workspaces } = world.seed;
  const send = (requests: LoadRequest[], keys: boolean, status: number): Promise<LoadResult> =>
    bench.load.send(orderOf(bench, bench.fleet.gatewayUrl, { requests, keys, perSecond: PER_SECOND, amount }), status);
  const { p50: read } = await send(spread(reads(workspaces, TENANTS)), false, 200);
  const { p50: accept } = await send(spread(restarts(workspaces)), true, 202);
  return { accept, read };
}

function linesOf(title: string, beside: string, rounds: (of: keyof Latencies) => Round[]): Line[] {
  const about = { row: 'growth', unit: 'ms', goal: { at: 'most', value: 1.15 }, note: `p50 at ${PER_SECOND} a second` } as const;
  return [
    lineOfRounds({ ...about, what: `accept ${title}` }, beside, rounds('accept')),
    lineOfRounds({ ...about, what: `read ${title}` }, beside, rounds('read')),
  ];
}
