import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 5;
const LONGEST_MS = 50;
/** Of the time that has passed: so much later than it came true it is seen at most. */
const SHARE = 0.1;

/** Between two looks at something that comes true soon: short at first, and longer the longer it takes. Many may wait on a machine that is busy. */
export class GrowingPause {
  private readonly since = performance.now();

  /** @param mostMs it is no longer than this */
  next(mostMs = LONGEST_MS): Promise<void> {
    const wanted = Math.max(FIRST_MS, (performance.now() - this.since) * SHARE);
    return sleep(Math.min(wanted, LONGEST_MS, mostMs));
  }
}
