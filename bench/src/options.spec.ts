import { optionsOf } from './options';

const ROWS = ['accept', 'rest'];

it('takes rows and switches in any order', () => {
  expect(optionsOf(['accept', '--quick', 'rest', '--rounds', '7', '--rest-restarts', '100000'], ROWS)).toMatchObject({
    rows: ['accept', 'rest'],
    quick: true,
    profile: false,
    rounds: 7,
    restRestarts: 100_000,
    backlog: null,
  });
});

it.each([
  ['a row that is none', ['acept'], 'there is no row acept'],
  ['a switch that is none', ['--fast'], '--fast'],
  ['a count that is none', ['--backlog', 'many'], '--backlog must be a whole number above 0'],
  ['a round of nothing', ['--rounds', '0'], '--rounds must be'],
  ['a count of nothing', ['--rest-restarts', '0'], '--rest-restarts must be'],
])('refuses %s', (_what, args, why) => {
  expect(() => optionsOf(args, ROWS)).toThrow(why);
});
