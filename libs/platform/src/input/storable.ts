/// <reference lib="es2024.string" />
import type { Findings } from './findings';
import { DEEPEST, MOST_VALUES } from './json';

/** PostgreSQL's text and jsonb take neither NUL nor half of a surrogate pair, and JSON has no number beyond the finite ones. */
const PROBLEM = {
  nul: 'holds a NUL character',
  surrogate: 'holds half of a surrogate pair',
  number: 'holds a number that is too large',
  depth: 'is nested too deep',
  values: 'holds too many values',
  // An assignment to it would set the object's prototype, and keep nothing.
  proto: 'holds the key __proto__, which no object can keep',
};

/**
 * Adds what in this value cannot be stored. It ends early, when there are findings enough or more values than one input may have.
 * @returns how many values it looked at
 */
export function findUnstorable(value: unknown, findings: Findings): number {
  const walk = new Walk(findings);
  walk.visit(value);
  return walk.visited;
}

class Walk {
  visited = 0;
  private readonly path: (string | number)[] = [];

  constructor(private readonly findings: Findings) {}

  visit(value: unknown): void {
    this.visited++;
    if (typeof value === 'string') this.tell(textProblem(value));
    else if (typeof value === 'number') this.tell(Number.isFinite(value) ? undefined : PROBLEM.number);
    else if (typeof value === 'object' && value !== null) this.enter(value);
  }

  private enter(value: object): void {
    if (this.path.length >= DEEPEST) return this.tell(PROBLEM.depth);
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length && this.goesOn(); at++) this.descend(at, value[at]);
      return;
    }
    for (const key in value) {
      if (!this.goesOn()) return;
      if (!Object.hasOwn(value, key)) continue;
      this.tell(key === '__proto__' ? PROBLEM.proto : textProblem(key));
      this.descend(key, (value as Record<string, unknown>)[key]);
    }
  }

  private descend(key: string | number, value: unknown): void {
    this.path.push(key);
    this.visit(value);
    this.path.pop();
  }

  private goesOn(): boolean {
    if (this.visited > MOST_VALUES) this.tell(PROBLEM.values);
    return this.visited <= MOST_VALUES && !this.findings.full;
  }

  private tell(problem: string | undefined): void {
    if (problem !== undefined) this.findings.add(this.path, problem);
  }
}

function textProblem(text: string): string | undefined {
  if (text.includes('\0')) return PROBLEM.nul;
  return text.isWellFormed() ? undefined : PROBLEM.surrogate;
}
