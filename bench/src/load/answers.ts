import { quantile, rateOf } from '../harness/arithmetic';
import type { LoadResult } from './load-order';

/** Collects what came back. */
export class Answers {
  private readonly moments: number[] = [];
  private readonly times: number[] = [];
  private readonly statuses: Record<string, number> = {};
  private failures = 0;

  /** @param ms from when it was sent, or was to be sent */
  add(status: number, ms: number): void {
    this.moments.push(performance.now());
    this.times.push(ms);
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
  }

  fail(): void {
    this.failures += 1;
  }

  result(): LoadResult {
    return {
      perSecond: rateOf(this.moments),
      statuses: this.statuses,
      failures: this.failures,
      p50: quantile(this.times, 0.5),
      p99: quantile(this.times, 0.99),
    };
  }
}
