import { DEATHS } from './kinds/deaths';
import { HINDRANCES } from './kinds/hindrances';
import { deal } from './schedule';
import { Random } from './support/random';

const FAULTS = [...DEATHS, ...HINDRANCES];

function dealt(seed: string, count: number): { kind: string; name: string }[] {
  const cards = deal(FAULTS, new Random(seed));
  return Array.from({ length: count }, () => cards.next().value).map(({ kind, name }) => ({ kind, name }));
}

describe('the schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(dealt('17', 200)).toEqual(dealt('17', 200));
    expect(dealt('17', 200)).not.toEqual(dealt('18', 200));
  });

  it('has every kind in one round', () => {
    const kinds = new Set(FAULTS.map(({ kind }) => kind));
    expect(new Set(dealt('17', kinds.size).map(({ kind }) => kind))).toEqual(kinds);
  });

  it('has every fault once before it has one twice, within a kind', () => {
    const ofKind = FAULTS.filter(({ kind }) => kind === 'network cut').map(({ name }) => name);
    const rounds = new Set(FAULTS.map(({ kind }) => kind)).size;
    const cuts = dealt('17', rounds * ofKind.length).filter(({ kind }) => kind === 'network cut');
    expect(cuts.map(({ name }) => name).sort()).toEqual(ofKind.sort());
  });

  it('draws the particulars of a fault from the fault’s own stream, however long others took', () => {
    const [one, other] = [new Random('17').fork('fault 3'), new Random('17').fork('fault 3')];
    new Random('17').fork('fault 2').between(1, 100);
    expect([one.next(), one.next()]).toEqual([other.next(), other.next()]);
    expect(new Random('17').fork('fault 3').next()).not.toBe(new Random('17').fork('fault 4').next());
  });
});
