/** What everybody waits for, so that a run that stands still can say why. */
export class Waits {
  private readonly open = new Map<symbol, { what: () => string; since: number }>();

  /** Does what waits for something, and has it on the list meanwhile. */
  async during<T>(what: string | (() => string), wait: () => Promise<T>): Promise<T> {
    const key = Symbol();
    this.open.set(key, { what: typeof what === 'string' ? () => what : what, since: Date.now() });
    try {
      return await wait();
    } finally {
      this.open.delete(key);
    }
  }

  /** The longest waits, each with its seconds. */
  longest(count: number): string[] {
    const sorted = [...this.open.values()].sort((a, b) => a.since - b.since);
    return sorted.slice(0, count).map(({ what, since }) => `${what()} (${Math.round((Date.now() - since) / 1000)} s)`);
  }
}
