/** Waits until the condition gives something truthy and returns that; fails with what it gave last when the time is up. */
export async function waitFor<T>(condition: () => T | Promise<T>, what = 'the condition', limitMs = 30_000): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`Waited ${limitMs} ms in vain for ${what}; last: ${String(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
