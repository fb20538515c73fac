import { median, quantile, rateOf, spread } from './arithmetic';

describe('a quantile', () => {
  it('is the one in the middle of an odd number, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('lies between the two in the middle of an even number', () => {
    expect(median([4, 1, 2, 10])).toBe(3);
  });

  it('of 0.99 is near the greatest, and of the ends it is the ends', () => {
    const hundred = Array.from({ length: 101 }, (_, n) => n);
    expect([quantile(hundred, 0), quantile(hundred, 0.99), quantile(hundred, 1)]).toEqual([0, 99, 100]);
  });

  it('orders numbers as numbers, and leaves what it is given as it is', () => {
    const values = [10, 9, 100];
    expect(spread(values)).toEqual([9, 100]);
    expect(values).toEqual([10, 9, 100]);
  });

  it('of nothing is an error, not a number', () => {
    expect(() => median([])).toThrow('nothing');
  });
});

describe('a rate', () => {
  it('is told by the time between the answers', () => {
    const everyTenMs = Array.from({ length: 201 }, (_, n) => n * 10);
    expect(rateOf(everyTenMs)).toBeCloseTo(100);
  });

  it('leaves out the first and the last of them, when not all connections are at it', () => {
    const middle = Array.from({ length: 90 }, (_, n) => 1_000 + n * 10);
    const late = [5_000, 6_000, 7_000, 8_000, 9_000];
    const early = [0, 100, 200, 300, 400];
    expect(rateOf([...early, ...middle, ...late])).toBeCloseTo(100);
  });

  it('of answers that all came at once is an error, not infinite', () => {
    expect(() => rateOf([5, 5, 5])).toThrow('no rate');
  });
});
