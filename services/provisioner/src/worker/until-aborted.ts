/**
 * The work's own end, or the signal's reason as soon as it is aborted. Work that does not heed the signal goes on unwatched until it ends by
 * itself; whoever calls this relies on the work's being fenced.
 */
export async function untilAborted<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let listener: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    listener = () => reject(signal.reason as Error);
    signal.addEventListener('abort', listener, { once: true });
  });
  const working = work(signal);
  working.catch(() => undefined);
  try {
    return await Promise.race([working, aborted]);
  } finally {
    if (listener) signal.removeEventListener('abort', listener);
  }
}
