import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Scene } from './kinds/fault';
import type { Random } from './support/random';
import type { Service } from './support/service';

/**
 * The order of the faults, the same for the same seed: the kinds take turns, so that a short run sees all of them, and within a kind every
 * fault comes once before any comes twice.
 */
export function* deal(faults: readonly Fault[], random: Random): Generator<Fault, never> {
  const kinds = new Map<string, Fault[]>();
  for (const fault of faults) kinds.set(fault.kind, [...(kinds.get(fault.kind) ?? []), fault]);
  const left = new Map<string, Fault[]>();
  for (;;) {
    for (const kind of random.shuffled([...kinds.keys()])) {
      const stack = left.get(kind) ?? [];
      if (stack.length === 0) stack.push(...random.shuffled(kinds.get(kind)!));
      left.set(kind, stack);
      yield stack.pop()!;
    }
  }
}

/** The share of faults that do not wait for what the one before has ended. */
const HASTY = 0.25;

/**
 * One fault after the other with a pause between, until the run is over.
 * @param options.upAgainMs how long all services have to be up again before the next one
 */
export async function inflict(faults: readonly Fault[], random: Random, scene: Scene, { upAgainMs = 0 } = {}): Promise<void> {
  const { ledger, over } = scene;
  let n = 0;
  for (const fault of deal(faults, random.fork('order'))) {
    // Each fault draws from a stream of its own: how long one took does not change the next.
    const draws = random.fork(`fault ${++n}`);
    await delay(draws.between(300, 2_500), undefined, { signal: over }).catch(() => undefined);
    if (!draws.chance(HASTY)) await upAgain(scene, upAgainMs);
    if (over.aborted) return;
    const { section, told } = await ledger.waits.during(`the end of ${fault.kind}, ${fault.name}`, () => struck(fault, scene, draws));
    ledger.count(section, section === 'faults' ? fault.kind : fault.name);
    ledger.note(`${fault.kind}: ${told}`);
  }
}

async function upAgain({ fleet, over }: Scene, within: number): Promise<void> {
  const until = Date.now() + within;
  const ready = (service: Service) =>
    service.ready(0).then(
      () => true,
      () => false,
    );
  while (Date.now() < until && !over.aborted) {
    if ((await Promise.all(fleet.services.map(ready))).every(Boolean)) return;
    await delay(500);
  }
}

async function struck(fault: Fault, scene: Scene, random: Random): Promise<{ section: string; told: string }> {
  try {
    const told = await fault.strike(scene, random);
    if (told === null) return { section: 'faults whose moment did not come', told: `${fault.name}, whose moment did not come` };
    return { section: 'faults', told: told ?? fault.name };
  } catch (error) {
    // The other lane may have taken away what this one needs, such as the broker.
    return { section: 'faults that another one was in the way of', told: `${fault.name}, not done: ${(error as Error).message}` };
  }
}
