import { Clock } from './clock';

/** A clock for tests: time stands still until it is told to move. */
export class ManualClock extends Clock {
  private milliseconds: number;

  constructor(start: Date | string = '2026-01-01T00:00:00.000Z') {
    super();
    this.milliseconds = new Date(start).getTime();
  }

  override now(): Date {
    return new Date(this.milliseconds);
  }

  /** Moves on by so many milliseconds; a negative number moves back. */
  advance(milliseconds: number): void {
    this.milliseconds += milliseconds;
  }

  /** Jumps to a moment. */
  set(moment: Date | string): void {
    this.milliseconds = new Date(moment).getTime();
  }
}
