import type { Job } from '../jobs/job';

/** The lease is another's, or may be: nothing more is written or begun for the job. */
export class LeaseLost extends Error {
  constructor(why: string) {
    super(`The lease is lost: ${why}`);
    this.name = 'LeaseLost';
  }
}

/** This process is about to end: the step in hand is given up so that another replica begins it again at once. */
export class ShuttingDown extends Error {
  constructor() {
    super('This worker is shutting down.');
    this.name = 'ShuttingDown';
  }
}

/**
 * A worker's hold on one job. Its signal is aborted, with one of the reasons above, when the run has to end. A lease that could not be
 * prolonged is given up a tenth of its length before the database lets another take the job.
 */
export class Lease {
  private readonly controller = new AbortController();
  private expiry: NodeJS.Timeout | undefined;

  /** @param claimedAt when the database was asked, by `performance.now()`, since its answer may have been slow */
  constructor(
    readonly id: string,
    readonly epoch: number,
    private readonly leaseMs: number,
    claimedAt: number = performance.now(),
  ) {
    this.prolonged(claimedAt);
  }

  static of(job: Job, leaseMs: number, claimedAt: number): Lease {
    return new Lease(job.id, job.epoch, leaseMs, claimedAt);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The database has prolonged it. @param askedAt when it was asked to */
  prolonged(askedAt: number): void {
    clearTimeout(this.expiry);
    const left = askedAt + this.leaseMs * 0.9 - performance.now();
    this.expiry = setTimeout(() => this.abort(new LeaseLost('it could not be prolonged in time')), Math.max(0, left)).unref();
  }

  /** The run is over: nothing more can happen to it. */
  end(): void {
    clearTimeout(this.expiry);
  }

  abort(reason: LeaseLost | ShuttingDown): void {
    this.controller.abort(reason);
  }
}
