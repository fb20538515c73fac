import { parseArgs } from 'node:util';

export interface Options {
  /** The rows to measure; all where none is named. */
  readonly rows: readonly string[];
  readonly list: boolean;
  /** Fewer and shorter rounds: shows that it works, and measures next to nothing. */
  readonly quick: boolean;
  /** Whether services write profiles and PostgreSQL counts statements. Both cost, so the figures are no figures. */
  readonly profile: boolean;
  /** How many rounds count, where a row has rounds and no `backlog` is given; of the row `start`, how many fresh clones. */
  readonly rounds: number | null;
  /** How many restarts the row `rest` lets go by. */
  readonly restRestarts: number | null;
  /** How many restarts the row `whole` works off, in one round instead of several. */
  readonly backlog: number | null;
}

export const USAGE = 'usage: npm run bench -- [ROW…] [--list] [--quick] [--profile] [--rounds N] [--rest-restarts N] [--backlog N]';

/** @throws Error that says what is wrong with them */
export function optionsOf(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      'rest-restarts': { type: 'string' },
      backlog: { type: 'string' },
    },
  });
  const strangers = positionals.filter((row) => !known.includes(row));
  if (strangers.length > 0) throw new Error(`there is no row ${strangers.join(', ')}; there are ${known.join(', ')}`);
  const { list, quick, profile } = values;
  const [rounds, restRestarts, backlog] = [countOf(values, 'rounds'), countOf(values, 'rest-restarts'), countOf(values, 'backlog')];
  return { rows: positionals, list, quick, profile, rounds, restRestarts, backlog };
}

function countOf<K extends string>(values: Readonly<Partial<Record<K, string>>>, name: K): number | null {
  const text = values[name];
  if (text === undefined) return null;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${name} must be a whole number above 0, and is ${text}`);
  return count;
}
