import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until the condition holds.
 * @throws Error that says what was waited for, when the limit has passed; the signal's reason
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { limitMs, everyMs = 50, signal }: { limitMs: number; everyMs?: number; signal?: AbortSignal },
): Promise<void> {
  for (const end = performance.now() + limitMs; ;) {
    if (await condition()) return;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1_000} s`);
    await sleep(everyMs, undefined, signal ? { signal } : {});
  }
}
