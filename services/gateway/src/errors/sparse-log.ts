/** Lets one line of each kind through in a while and counts those it holds back: a dependency that is away would else fill the log with one line a request. */
export class SparseLog {
  private readonly kinds = new Map<string, { at: number; held: number }>();

  constructor(
    private readonly everyMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** How many lines of this kind were held back since the last one; null where this one is held back, too. Kinds come from a closed list. */
  admit(kind: string): number | null {
    const now = this.now();
    const last = this.kinds.get(kind);
    if (last && now - last.at < this.everyMs) {
      last.held += 1;
      return null;
    }
    this.kinds.set(kind, { at: now, held: 0 });
    return last?.held ?? 0;
  }
}
