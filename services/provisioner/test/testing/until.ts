import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition answers something; fails after the given time. */
export async function until<T>(condition: () => T | Promise<T>, patienceMs = 60_000): Promise<NonNullable<T>> {
  for (const end = Date.now() + patienceMs; ;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`it did not come true within ${patienceMs} ms: ${condition.toString()}`);
    await sleep(10);
  }
}
