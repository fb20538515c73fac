/** How many messages go out together, and how long after them the next may. */
export interface Pace {
  size: number;
  everyMs: number;
}

const MOST_AT_ONCE = 200;
const BATCHES_PER_SECOND = 10;

/** Small batches often, so that a replay is even, and a pause is heard at once. */
export function paceOf(ratePerSecond: number): Pace {
  const size = Math.min(MOST_AT_ONCE, Math.max(1, Math.round(ratePerSecond / BATCHES_PER_SECOND)));
  return { size, everyMs: (size * 1000) / ratePerSecond };
}

/** How long to wait after a batch that took some time of its own. */
export function restOf({ size, everyMs }: Pace, sent: number, tookMs: number): number {
  return Math.max(0, (everyMs * Math.min(sent, size)) / size - tookMs);
}
