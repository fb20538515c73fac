import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Row } from '../bench';
import { TENANTS } from '../ground/callers';
import { World } from '../ground/worlds';
import { type Line, lineOfFigures } from '../harness/line';
import { largeWorld } from './growth';
import { allEnded } from './in-flight';
import { orderOf, restarts } from './requests';

const WORKSPACES = 5_000;
/**
 * V8 looks for what it can give back only when it has not been at work for a while; that look is work, too. Seen until 45 s after a start: before, memory
 * at rest and what is taken of a processor are those of a start.
 */
const SETTLED_AFTER_START_MS = 45_000;
const SETTLED_AFTER_WORK_MS = 20_000;
/** After the seeding: what the disk and PostgreSQL's own vacuum still do is nothing that services at rest do. */
const SETTLED_AFTER_SEED_MS = 10_000;
/** Enough to compare with: it is no row of its own. */
const WARM_MS = 5_000;
/** How many restarts have gone by when services are looked at; in a short run none of these has. The first of them counts as warm. */
const LOOKS = [1_000, 10_000, 100_000];
/** Of all restarts, how many have gone by when the services count as warm, where none of the looks above comes before the end. */
const WARM = 0.2;

type Memory = ReadonlyMap<string, number>;

export const rest: Row = {
  name: 'rest',
  about: 'memory of each service when it has just started and after restarts, and the processor time that it takes while nothing happens',
  async measure(bench) {
    const wanted = bench.options.restRestarts ?? bench.amount(1_000, 400);
    await bench.fleet.stop();
    await bench.fleet.have('none');
    await bench.worlds.enter(new World('rest', { workspaces: WORKSPACES + 200, tenants: TENANTS, refusing: false }));
    await bench.worlds.forgetJobs();
    const seed = willGrow(bench) ? await bench.worlds.prepare(largeWorld(bench)) : null;
    await bench.fleet.have('no-op');
    // PostgreSQL is at work meanwhile for the row that comes next, and none of the services is.
    await Promise.all([quiet(bench, bench.amount(SETTLED_AFTER_START_MS, 5_000)), seed?.()]);
    if (seed) await quiet(bench, bench.amount(SETTLED_AFTER_SEED_MS, 1_000));
    const processor = await processorOf(bench);
    const idle = memoryOf(bench);
    const looks = LOOKS.filter((count) => count < wanted);
    const at = looks.length > 0 ? looks : [Math.ceil(wanted * WARM)];
    const seen: Look[] = [];
    for (const count of [...at, wanted]) {
      const settleMs = count === wanted || looks.length > 0 ? bench.amount(SETTLED_AFTER_WORK_MS, 5_000) : WARM_MS;
      await letGoBy(bench, count - (seen.at(-1)?.restarts ?? 0), settleMs);
      seen.push({ restarts: count, memory: memoryOf(bench) });
    }
    return [...idle.keys()].flatMap((name) => linesOf(name, { processor, idle, seen }));
  },
};

function willGrow({ options: { rows } }: Bench): boolean {
  return rows.length === 0 || rows.includes('growth');
}

interface Look {
  readonly restarts: number;
  readonly memory: Memory;
}

interface Found {
  readonly processor: Memory;
  readonly idle: Memory;
  /** From the first to the last. */
  readonly seen: readonly Look[];
}

function linesOf(name: string, found: Found): Line[] {
  const of = (memory: Memory | undefined): number => memory?.get(name) ?? NaN;
  const told = (look: Look | undefined): string => (look?.restarts ?? 0).toLocaleString('en');
  const [first, last] = [found.seen[0], found.seen.at(-1)];
  const [idle, warm, after] = [of(found.idle), of(first?.memory), of(last?.memory)];
  const note = `the provisioner has nothing behind its ports; \`warm\` is after ${told(first)} restarts`;
  const between = found.seen.slice(0, -1).map((look) => {
    const what = `${name}, memory after ${told(look)} restarts`;
    return lineOfFigures({ row: 'rest', what, unit: 'MiB' }, [of(look.memory)]);
  });
  const growth = (from: number): number => ((after - from) / from) * 100;
  return [
    lineOfFigures({ row: 'rest', what: `${name}, memory at rest`, unit: 'MiB', goal: { at: 'most', value: 120 }, note }, [idle]),
    ...between,
    lineOfFigures({ row: 'rest', what: `${name}, memory after ${told(last)} restarts`, unit: 'MiB', goal: { at: 'most', value: 120 } }, [
      after,
    ]),
    lineOfFigures({ row: 'rest', what: `${name}, grown since it was at rest`, unit: '%', goal: { at: 'most', value: 5 } }, [growth(idle)]),
    lineOfFigures({ row: 'rest', what: `${name}, grown since it was warm`, unit: '%' }, [growth(warm)]),
    lineOfFigures({ row: 'rest', what: `${name}, of a core at rest`, unit: '%', goal: { at: 'most', value: 1 } }, [of(found.processor)]),
  ];
}

/** Whole restarts, so many, one after the other as fast as they go; then a while for memory to be given back. */
async function letGoBy(bench: Bench, count: number, settleMs: number): Promise<void> {
  for (let left = count; left > 0; left -= WORKSPACES) {
    const requests = restarts(Math.min(left, WORKSPACES));
    await bench.load.send(orderOf(bench, bench.fleet.gatewayUrl, { requests, keys: true, amount: requests.length }), 202);
    await allEnded(bench);
  }
  await quiet(bench, settleMs);
}

async function quiet({ turns }: Bench, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: turns.signal });
}

async function processorOf(bench: Bench): Promise<Memory> {
  const { services } = bench.fleet;
  const seconds = bench.amount(10, 5);
  const shares = await Promise.all(services.map(({ figures }) => figures.processor(seconds, bench.turns.signal)));
  return new Map(services.map(({ name }, at) => [name, shares[at] ?? NaN]));
}

function memoryOf({ fleet }: Bench): Memory {
  return new Map(fleet.services.map(({ name, figures }) => [name, figures.memory]));
}
