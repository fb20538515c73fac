import { lineOfFigures, lineOfRounds, roundsOf } from './line';

const about = { row: 'accept', what: 'restarts', unit: '/s' } as const;

describe('a line of rounds', () => {
  // The machine was three times as slow in the second round, for both.
  const rounds = roundsOf([300, 100, 330], [600, 200, 600]);

  it('takes the ratio of each round, so that what slows both down changes nothing', () => {
    const line = lineOfRounds(about, 'the echo', rounds);
    expect(line).toMatchObject({ ours: 300, limit: 600, ratio: 0.5, goal: null, met: null });
    expect(line.spread).toEqual([0.5, 0.55]);
  });

  it('meets a goal by its ratio, from either side, the goal itself included', () => {
    const met = (at: 'least' | 'most', value: number): boolean | null => lineOfRounds({ ...about, goal: { at, value } }, 'it', rounds).met;
    expect([met('least', 0.5), met('least', 0.51), met('most', 0.5), met('most', 0.49)]).toEqual([true, false, true, false]);
  });

  it('does not pair what was not measured in the same round', () => {
    expect(() => roundsOf([1, 2], [1])).toThrow('2 turns of ours stand beside 1');
  });
});

it('a line of figures that stand alone is held to a goal by its median', () => {
  const line = lineOfFigures({ ...about, unit: 'MiB', goal: { at: 'most', value: 120 } }, [100, 130, 110]);
  expect(line).toMatchObject({ ours: 110, limit: null, ratio: null, met: true, goal: { of: 'figure' } });
  expect(line.spread).toEqual([100, 130]);
});
