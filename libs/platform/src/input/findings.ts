import { capText, capWritten } from '../text/cap-text';

/** A caller who has this many things to mend knows enough. */
const MOST = 20;
const PATH_BYTES = 200;
const PROBLEM_BYTES = 300;

/** What is wrong with an input, by the path to it: the first problem of each, and no more than a few. */
export class Findings {
  private readonly found = new Map<string, string>();

  /** Whether there is room for no more, so that there is no use in looking further. */
  get full(): boolean {
    return this.found.size >= MOST;
  }

  get none(): boolean {
    return this.found.size === 0;
  }

  /** @param path the keys that lead to it; none for the input itself */
  add(path: readonly (string | number)[], problem: string): void {
    const name = path.length === 0 ? 'body' : nameOf(path);
    if (!this.full && !this.found.has(name)) this.found.set(name, capText(problem, PROBLEM_BYTES));
  }

  /** Each problem by its path. */
  toFields(): Record<string, string> {
    return Object.fromEntries(this.found);
  }

  /** Each problem as a sentence that begins with the path. */
  toSentences(): string[] {
    return [...this.found].map(([path, problem]) => {
      const parent = path.slice(0, path.lastIndexOf('.') + 1);
      // A rule names its own field and knows nothing of what is around it.
      return problem.startsWith(`${path.slice(parent.length)} `) ? parent + problem : `${path} ${problem}`;
    });
  }
}

function nameOf(path: readonly (string | number)[]): string {
  // No longer than needed: the keys are the sender's, and may have any length and number.
  let name = '';
  for (const key of path) {
    if (name.length > PATH_BYTES) break;
    name += (name === '' ? '' : '.') + String(key).slice(0, PATH_BYTES);
  }
  return capWritten(name, PATH_BYTES);
}
