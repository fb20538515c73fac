/** What the pod runs besides its agent. */
export interface Background {
  /** Stops all of it, and resolves with how many processes that are once they stand still. */
  freeze(): Promise<number>;
  /** Lets go on what was stopped. */
  continue(): void;
}

/** Time within which whoever had the pod frozen takes the snapshot; one that has died meanwhile must not leave it frozen. */
const UNUSED_MS = 30_000;

/** A while in which the pod stands still for a checkpoint, and after which everything goes on. */
export class Standstill {
  private ended = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param unused called when nobody has taken a snapshot for long */
  constructor(
    private readonly background: Background,
    private readonly unused: () => void,
    private readonly unusedMs = UNUSED_MS,
  ) {}

  get isOver(): boolean {
    return this.ended;
  }

  async begin(): Promise<number> {
    this.release();
    try {
      return await this.background.freeze();
    } finally {
      // It was ended while processes were still being stopped.
      if (this.ended) this.background.continue();
    }
  }

  /** A snapshot is under way. */
  hold(): void {
    clearTimeout(this.timer);
  }

  release(): void {
    clearTimeout(this.timer);
    if (!this.ended) this.timer = setTimeout(this.unused, this.unusedMs).unref();
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.background.continue();
  }
}
