/** Runs pieces of work of one key one after the other, in the order in which they came; those of different keys at the same time. */
export class InOrder {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Resolves or rejects as the work does; one that fails holds up nothing. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(key) ?? Promise.resolve();
    const result = before.then(work);
    const settled = result
      .catch(() => undefined)
      .then(() => {
        if (this.last.get(key) === settled) this.last.delete(key);
      });
    this.last.set(key, settled);
    return result;
  }
}
