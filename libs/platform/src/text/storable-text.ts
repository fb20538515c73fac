/** PostgreSQL's text and jsonb take neither NUL nor half of a surrogate pair, and JSON has no number beyond the finite ones. */
const PROBLEM = {
  nul: 'holds a NUL character',
  surrogate: 'holds half of a surrogate pair',
  number: 'holds a number that is too large',
  depth: 'is nested too deep',
};

/** What walks a value by recursion, JSON.stringify for one, could run out of stack far below this. */
const DEEPEST = 100;

/** What in this value cannot be stored, by the path to it; empty where all can. */
export function flawsOf(value: unknown, path = '', depth = 0): Record<string, string> {
  if (typeof value === 'string') return flaw(path, textProblem(value));
  if (typeof value === 'number') return flaw(path, Number.isFinite(value) ? undefined : PROBLEM.number);
  if (typeof value !== 'object' || value === null) return {};
  if (depth > DEEPEST) return flaw(path, PROBLEM.depth);
  const found: Record<string, string> = {};
  for (const [key, each] of Object.entries(value)) {
    Object.assign(found, flaw(path, textProblem(key)), flawsOf(each, path === '' ? key : `${path}.${key}`, depth + 1));
  }
  return found;
}

function flaw(path: string, problem: string | undefined): Record<string, string> {
  return problem === undefined ? {} : { [path === '' ? 'body' : path]: problem };
}

function textProblem(text: string): string | undefined {
  if (text.includes('\0')) return PROBLEM.nul;
  return isWellFormed(text) ? undefined : PROBLEM.surrogate;
}

function isWellFormed(text: string): boolean {
  // With the u flag a surrogate in a pair is part of its character, so only halves match.
  return !/\p{Surrogate}/u.test(text);
}
