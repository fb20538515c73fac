import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 50;
/** Only a test that fails takes so long, whatever else the machine has to do. */
const WITHIN_MS = 30_000;

/**
 * What the function gives as soon as it does not throw. A wait for a condition, never for a time: put the condition in as an `expect`.
 * @param within milliseconds
 * @throws the last error of the function, once the time is up
 */
export async function eventually<T>(fn: () => T | Promise<T>, { within = WITHIN_MS, every = EVERY_MS } = {}): Promise<T> {
  const until = Date.now() + within;
  for (;;) {
    try {
      return await fn();
    } catch (error) {
      if (Date.now() >= until) throw error;
    }
    await delay(every);
  }
}
