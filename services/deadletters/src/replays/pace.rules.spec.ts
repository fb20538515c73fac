import { paceOf, restOf } from './pace.rules';

describe('the pace of a replay', () => {
  it.each([1, 3, 10, 100, 999, 10_000])('at %i a second sends so many a second', (rate) => {
    const { size, everyMs } = paceOf(rate);
    expect((size / everyMs) * 1000).toBeCloseTo(rate);
    expect(size).toBeGreaterThanOrEqual(1);
    expect(size).toBeLessThanOrEqual(200);
  });

  it('counts the time that sending took, and rests less after a smaller batch', () => {
    const pace = paceOf(100);
    expect(restOf(pace, 10, 0)).toBe(100);
    expect(restOf(pace, 10, 40)).toBe(60);
    expect(restOf(pace, 10, 400)).toBe(0);
    expect(restOf(pace, 5, 0)).toBe(50);
  });
});
