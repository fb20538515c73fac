import { inTurns } from './turns';

const never = new AbortController().signal;

it('measures in turns, each round the other way round, and forgets the first round', async () => {
  const order: string[] = [];
  const measure = (name: string) => () => Promise.resolve(order.push(name));
  const figures = await inTurns({ ours: measure('ours'), limit: measure('limit') }, { rounds: 2, signal: never });
  expect(order).toEqual(['ours', 'limit', 'limit', 'ours', 'ours', 'limit']);
  expect(figures).toEqual({ ours: [4, 5], limit: [3, 6] });
});

it('does what is to be done before each turn', async () => {
  const order: string[] = [];
  const does = (name: string) => () => Promise.resolve(order.push(name));
  await inTurns({ ours: does('ours'), limit: does('limit') }, { rounds: 1, signal: never, warmUp: false, before: does('before') });
  expect(order).toEqual(['before', 'limit', 'before', 'ours']);
});

it('begins no further turn once it is to end', async () => {
  const end = new AbortController();
  let turns = 0;
  const measure = (): Promise<number> => {
    end.abort(new Error('stopped'));
    return Promise.resolve(++turns);
  };
  await expect(inTurns({ ours: measure, limit: measure }, { rounds: 5, signal: end.signal })).rejects.toThrow('stopped');
  expect(turns).toBe(1);
});
