import { lineOfFigures, lineOfRounds } from '../harness/line';
import { nearness, plotOf } from './plot';

const rounds = [{ ours: 300, limit: 1_000 }];
const accept = lineOfRounds({ row: 'accept', what: 'restarts', unit: '/s', goal: { at: 'least', value: 0.4 } }, 'the echo', rounds);
const memory = lineOfFigures({ row: 'rest', what: 'memory', unit: 'MiB', goal: { at: 'most', value: 120 } }, [80]);

it('is nearer the more there is of what is to be much, and the less of what is to be little', () => {
  expect([nearness(accept), nearness(memory)]).toEqual([0.3 / 0.4, 120 / 80]);
  expect(nearness({ ...memory, ours: -3 })).toBe(Infinity);
});

it('is an SVG that names the lines which have goals, and no others', () => {
  const svg = plotOf([accept, memory, lineOfFigures({ row: 'start', what: 'without a goal', unit: 's' }, [1])], 'the title');
  expect(svg).toMatch(/^<svg[^]*accept: restarts[^]*<\/svg>\n$/);
  expect(svg).toContain('rest: memory');
  expect(svg).not.toContain('without a goal');
});
