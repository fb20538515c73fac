import { lineOfFigures, lineOfRounds } from '../harness/line';
import { figure, tableOf } from './table';

it('shows what is worth reading of a figure, and no digit more', () => {
  expect([figure(12_345.6), figure(123.45), figure(12.345), figure(1.2345), figure(0)]).toEqual(['12,346', '123', '12.3', '1.23', '0.00']);
});

describe('the table', () => {
  const rounds = [{ ours: 300, limit: 1_000 }];
  const goal = { at: 'least', value: 0.4 } as const;
  const lines = [
    lineOfRounds({ row: 'accept', what: 'restarts', unit: '/s', goal, note: 'it is noisy here' }, 'the echo', rounds),
    lineOfFigures({ row: 'rest', what: 'memory', unit: 'MiB' }, [80]),
  ];
  const text = tableOf(lines);

  it('says of each line what it stands beside, and whether its goal is met', () => {
    expect(text).toMatch(/accept: restarts.*300 \/s.*1,000 \/s, the echo.*0\.30.*≥ 0\.4×.*NOT MET/);
  });

  it('shows a spread where there is more than one round', () => {
    const two = lineOfFigures({ row: 'start', what: 'warm', unit: 's' }, [9, 11]);
    expect(tableOf([two])).toContain('9.00–11.0');
    expect(text).not.toContain('–');
  });

  it('says nothing of a goal where there is none, and puts notes beneath', () => {
    expect(text).not.toMatch(/rest: memory.*met/i);
    expect(text.split('\n').at(-1)).toBe('accept: it is noisy here');
  });
});
