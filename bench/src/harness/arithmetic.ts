/** The arithmetic of measurements. Pure; what it is given is never changed. */

/**
 * The value below which this part of them lies, between two of them where it falls between.
 * @param q from 0 to 1
 * @throws Error where there are none
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (low === undefined || high === undefined) throw new Error('There is no quantile of nothing');
  return low + (high - low) * (at - Math.floor(at));
}

/** @throws Error where there are none */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The least and the greatest. @throws Error where there are none */
export function spread(values: readonly number[]): readonly [number, number] {
  return [quantile(values, 0), quantile(values, 1)];
}

/**
 * How many a second, by the moments at which they came. The first and the last twentieth are left out: while the load comes up, and when some
 * connections have nothing left to do, what is measured is not full.
 * @param moments in milliseconds
 * @throws Error where there are too few to tell
 */
export function rateOf(moments: readonly number[]): number {
  const sorted = [...moments].sort((a, b) => a - b);
  const cut = Math.floor(sorted.length / 20);
  const [from, to] = [sorted[cut], sorted[sorted.length - 1 - cut]];
  if (from === undefined || to === undefined || to <= from) throw new Error(`${sorted.length} moments tell no rate`);
  return ((sorted.length - 1 - 2 * cut) / (to - from)) * 1_000;
}
