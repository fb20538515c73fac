// @ts-check
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Wait until a condition holds. False when the limit passed first.
 * @param {() => unknown} condition
 * @param {{ limitMs: number, everyMs?: number }} options
 */
export async function until(condition, { limitMs, everyMs = 100 }) {
  const end = Date.now() + limitMs;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() >= end) return false;
    await delay(everyMs);
  }
}
