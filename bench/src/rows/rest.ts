import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Row } from '../bench';
import { TENANTS } from '../ground/callers';
import { World } from '../ground/worlds';
import { type Line, lineOfFigures } from '../harness/line';
import { allEnded } from './in-flight';
import { orderOf, restarts } from './requests';

const WORKSPACES = 5_000;
/**
 * V8 looks for what it can give back only when it has not been at work for a while; that look is work, too. Seen until 45 s after a start: before, memory
 * at rest and what is taken of a processor are those of a start.
 */
const SETTLED_AFTER_START_MS = 45_000;
const SETTLED_AFTER_WORK_MS = 20_000;
/** Enough to compare with: it is no row of its own. */
const WARM_MS = 5_000;
/** Of all restarts, how many have gone by when the services count as warm. */
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
    await bench.fleet.have('no-op');
    await sleep(bench.amount(SETTLED_AFTER_START_MS, 5_000), undefined, { signal: bench.turns.signal });
    const processor = await processorOf(bench);
    const idle = memoryOf(bench);
    await letGoBy(bench, Math.ceil(wanted * WARM), WARM_MS);
    const warm = memoryOf(bench);
    await letGoBy(bench, wanted - Math.ceil(wanted * WARM), bench.amount(SETTLED_AFTER_WORK_MS, 5_000));
    const after = memoryOf(bench);
    return [...idle.keys()].flatMap((name) => linesOf(name, wanted, { processor, idle, warm, after }));
  },
};

function linesOf(name: string, restartCount: number, found: Record<'processor' | 'idle' | 'warm' | 'after', Memory>): Line[] {
  const of = (memory: Memory): number => memory.get(name) ?? NaN;
  const [idle, warm, after] = [of(found.idle), of(found.warm), of(found.after)];
  const told = restartCount.toLocaleString('en');
  const note = 'the provisioner has nothing behind its ports; `warm` is after a fifth of the restarts';
  const growth = (from: number): number => ((after - from) / from) * 100;
  return [
    lineOfFigures({ row: 'rest', what: `${name}, memory at rest`, unit: 'MiB', goal: { at: 'most', value: 120 }, note }, [idle]),
    lineOfFigures({ row: 'rest', what: `${name}, memory after ${told} restarts`, unit: 'MiB', goal: { at: 'most', value: 120 } }, [after]),
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
  await sleep(settleMs, undefined, { signal: bench.turns.signal });
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
