export interface GatheringOptions<B> {
  /** A batch with nothing in it. */
  readonly empty: () => B;
  /** Whether nothing more fits into the batch. */
  readonly isFull: (batch: B) => boolean;
  /** How many batches may be under way before what comes is gathered; one where nothing is said. */
  readonly atOnce?: number;
  /** How long a batch that is under way keeps others from beginning. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 50;

interface Batch<B, R> {
  readonly content: B;
  readonly outcome: Promise<R>;
  readonly begin: () => void;
}

/**
 * Work that is done at once where there is little of it, and together where there is much. What comes while as many batches are under way as may be goes
 * into the next, which begins when one of them has ended, and at once when it is full: so a batch begins after the last that is in it has come. One that
 * takes long holds up nobody any more after a while.
 */
export class Gathering<B, R> {
  private readonly atOnce: number;
  private readonly patienceMs: number;
  private next: Batch<B, R> | null = null;
  private underWay = 0;

  constructor(
    private readonly work: (batch: B) => Promise<R>,
    private readonly options: GatheringOptions<B>,
  ) {
    this.atOnce = options.atOnce ?? 1;
    this.patienceMs = options.patienceMs ?? PATIENCE_MS;
  }

  /**
   * Puts something into the next batch.
   * @returns what came of the batch
   * @throws what the batch's work threw, to all that are in it
   */
  join(put: (batch: B) => void): Promise<R> {
    const batch = (this.next ??= this.open());
    put(batch.content);
    if (this.options.isFull(batch.content)) this.begin(batch);
    return batch.outcome;
  }

  private open(): Batch<B, R> {
    const content = this.options.empty();
    let begin = (): void => undefined;
    const turn = new Promise<void>((resolve) => (begin = resolve));
    // What runs then, runs in the context of whoever came first: the work is in that one's trace.
    const batch: Batch<B, R> = { content, outcome: turn.then(() => this.work(content)), begin };
    // Not before those that come in the same moment are in it.
    if (this.underWay < this.atOnce) queueMicrotask(() => this.begin(batch));
    return batch;
  }

  private begin(batch: Batch<B, R>): void {
    if (this.next !== batch) return;
    this.next = null;
    this.underWay += 1;
    batch.begin();
    void this.until(batch.outcome).then(() => {
      this.underWay -= 1;
      if (this.next) this.begin(this.next);
    });
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
