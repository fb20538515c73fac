/** Pieces of work that wait for their turn together. */
interface Gathering {
  readonly kind: string;
  readonly items: unknown[];
  readonly done: Promise<void>;
}

/** More would make one failure cost too much: the items of a gathering that fails are done one by one. */
const MOST_AT_ONCE = 16;

/** Runs pieces of work of one key one after the other, in the order in which they came; those of different keys at the same time. */
export class InOrder {
  private readonly last = new Map<string, Promise<unknown>>();
  private readonly gatherings = new Map<string, Gathering>();

  /** Resolves or rejects as the work does; one that fails holds up nothing. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    // What comes later must not join those that wait before this one.
    this.gatherings.delete(key);
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

  /**
   * The same, for pieces that can be done at once: those of one kind that wait one behind the other when their turn comes are given to `work` of
   * the first of them, in their order. Resolves or rejects for all as that does.
   */
  gather<T>(key: string, kind: string, item: T, work: (items: readonly T[]) => Promise<void>): Promise<void> {
    const open = this.gatherings.get(key);
    if (open?.kind === kind && open.items.length < MOST_AT_ONCE) {
      open.items.push(item);
      return open.done;
    }
    const items: T[] = [item];
    const done = this.run(key, async () => {
      // What was sent together is delivered in one turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.gatherings.get(key)?.items === items) this.gatherings.delete(key);
      await work(items);
    });
    this.gatherings.set(key, { kind, items, done });
    return done;
  }
}
