import { SparseLog } from './sparse-log';

it('a sparse log writes one line of each kind in a while, and says how many it held back', () => {
  let now = 0;
  const log = new SparseLog(1_000, () => now);
  const admitted = Array.from({ length: 1_000 }, () => log.admit('unavailable'));
  expect(admitted.filter((held) => held !== null)).toEqual([0]);
  expect(log.admit('another')).toBe(0);
  now = 999;
  expect(log.admit('unavailable')).toBeNull();
  now = 1_000;
  expect(log.admit('unavailable')).toBe(1_000);
  now = 2_000;
  expect(log.admit('unavailable')).toBe(0);
});
