export interface GatheringOptions<B> {
  /** A batch with nothing in it. */
  readonly empty: () => B;
  /** Whether nothing more fits into the batch. */
  readonly isFull: (batch: B) => boolean;
  /** How long a batch that is under way keeps others from beginning. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 50;

interface Batch<B, R> {
  readonly content: B;
  readonly outcome: Promise<R>;
}

/**
 * Work that is done at once where there is little of it, and together where there is much. What comes while a batch is under way goes into the next, so a
 * batch begins after the last that is in it has come; and one that is not done after a while holds up nobody any more.
 */
export class Gathering<B, R> {
  private readonly patienceMs: number;
  private next: Batch<B, R> | null = null;
  private underWay: Promise<void> | null = null;

  constructor(
    private readonly work: (batch: B) => Promise<R>,
    private readonly options: GatheringOptions<B>,
  ) {
    this.patienceMs = options.patienceMs ?? PATIENCE_MS;
  }

  /**
   * Puts something into the next batch.
   * @returns what came of the batch
   * @throws what the batch's work threw, to all that are in it
   */
  join(put: (batch: B) => void): Promise<R> {
    if (this.next === null || this.options.isFull(this.next.content)) this.next = this.open();
    put(this.next.content);
    return this.next.outcome;
  }

  private open(): Batch<B, R> {
    const turn = this.underWay ?? Promise.resolve();
    // What runs then, runs in the context of whoever came first: the work is in that one's trace.
    const batch: Batch<B, R> = { content: this.options.empty(), outcome: turn.then(() => this.begin(batch)) };
    return batch;
  }

  private begin(batch: Batch<B, R>): Promise<R> {
    if (this.next === batch) this.next = null;
    const outcome = this.work(batch.content);
    const underWay = this.until(outcome).then(() => {
      if (this.underWay === underWay) this.underWay = null;
    });
    this.underWay = underWay;
    return outcome;
  }

  /** Until this is settled, or has taken too long to be waited for. Never rejects. */
  private until(outcome: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.patienceMs);
      const settled = (): void => {
        clearTimeout(timer);
        resolve();
      };
      outcome.then(settled, settled);
    });
  }
}
