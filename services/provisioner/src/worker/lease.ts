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

/** A worker's hold on one job. Its signal is aborted, with one of the reasons above, when the run has to end. */
export class Lease {
  private readonly controller = new AbortController();
  private heldUntil: number;

  constructor(
    readonly id: string,
    readonly epoch: number,
    private readonly leaseMs: number,
    claimedAt: number = performance.now(),
  ) {
    this.heldUntil = claimedAt + leaseMs;
  }

  static of(job: Job, leaseMs: number, claimedAt: number): Lease {
    return new Lease(job.id, job.epoch, leaseMs, claimedAt);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The database has prolonged it; `askedAt` is when it was asked to, since its answer may have been slow. */
  prolonged(askedAt: number): void {
    this.heldUntil = askedAt + this.leaseMs;
  }

  /** A lease that nobody could prolong is given up before the database lets another take the job. */
  checkExpiry(now: number = performance.now()): void {
    if (now >= this.heldUntil) this.abort(new LeaseLost('it could not be prolonged in time'));
  }

  abort(reason: LeaseLost | ShuttingDown): void {
    this.controller.abort(reason);
  }
}
