import { Waits } from './waits';

/** The invariants of docs/architecture.md, by their number, and a line for what an answer must never be. */
export const INVARIANTS = {
  1: 'an answer is a promise',
  2: 'one pod',
  3: 'snapshot before teardown',
  4: 'state is carried',
  5: 'no message is lost',
  6: 'same key, same answer',
  7: 'tenants are blind to each other',
  8: 'billing gates what adds',
  9: 'a refusal changes nothing',
  10: 'nothing stays stuck',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  invariant: Invariant;
  /** Seconds since the beginning of the run. */
  at: number;
  what: string;
}

/** What was seen during a run: counts by section and name, what happened when, and what must not have happened. */
export class Ledger {
  readonly violations: Violation[] = [];
  readonly waits = new Waits();
  private readonly sections = new Map<string, Map<string, number>>();
  private readonly checks = new Map<Invariant, number>();
  private readonly startedAt = Date.now();

  /** @param tell takes a line for whoever watches */
  constructor(private readonly tell: (line: string) => void) {}

  count(section: string, name: string, by = 1): void {
    const counts = this.sections.get(section) ?? new Map<string, number>();
    this.sections.set(section, counts.set(name, (counts.get(name) ?? 0) + by));
  }

  counts(section: string): [string, number][] {
    return [...(this.sections.get(section) ?? [])].sort(([a], [b]) => a.localeCompare(b));
  }

  total(section: string): number {
    return this.counts(section).reduce((sum, [, n]) => sum + n, 0);
  }

  /** Something was compared with an invariant: it held, or this is a violation. */
  check(invariant: Invariant, holds: boolean, what: () => string): boolean {
    this.checks.set(invariant, this.checked(invariant) + 1);
    if (!holds) {
      const violation = { invariant, at: this.seconds, what: what() };
      this.violations.push(violation);
      this.note(`VIOLATION of ${invariant} (${INVARIANTS[invariant]}): ${violation.what}`);
    }
    return holds;
  }

  /** How often an invariant was looked at: one that was never looked at has not been shown to hold. */
  checked(invariant: Invariant): number {
    return this.checks.get(invariant) ?? 0;
  }

  violationsOf(invariant: Invariant): Violation[] {
    return this.violations.filter((violation) => violation.invariant === invariant);
  }

  /** A line of the run's story. */
  note(line: string): void {
    this.tell(`${this.seconds.toFixed(1).padStart(7)} ${line}`);
  }

  get seconds(): number {
    return (Date.now() - this.startedAt) / 1000;
  }
}
