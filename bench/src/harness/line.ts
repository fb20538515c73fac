import { median, spread } from './arithmetic';

export type Unit = '/s' | 'ms' | 's' | 'MB/s' | 'MiB' | '%';

/** What a figure is held to. `at least 0.4`, `at most 120`. */
export interface Goal {
  readonly at: 'least' | 'most';
  readonly value: number;
  /** Whether it is the ratio that is held to it, or the figure itself. */
  readonly of: 'ratio' | 'figure';
}

/** One round: both were measured within seconds of each other. */
export interface Round {
  readonly ours: number;
  readonly limit: number;
}

/** One line of the table: a figure of ours, what it stands beside, and what came of it. */
export interface Line {
  readonly row: string;
  readonly what: string;
  readonly unit: Unit;
  /** The median of the rounds. */
  readonly ours: number;
  /** What it stands beside; null where a figure stands alone. */
  readonly beside: string | null;
  readonly limit: number | null;
  /** The median of the rounds' own ratios, ours to the limit: what moves both moves it least. */
  readonly ratio: number | null;
  /** The least and the greatest of what the goal is about: the ratios, or where there are none the figures. */
  readonly spread: readonly [number, number];
  readonly goal: Goal | null;
  /** Null without a goal. */
  readonly met: boolean | null;
  readonly note: string | null;
  readonly rounds: readonly (Round | { readonly ours: number })[];
}

interface About {
  readonly row: string;
  readonly what: string;
  readonly unit: Unit;
  readonly goal?: Omit<Goal, 'of'>;
  readonly note?: string;
}

/** A line of rounds, in each of which ours and the limit were measured. @throws Error where there are none */
export function lineOfRounds({ row, what, unit, goal, note }: About, beside: string, rounds: readonly Round[]): Line {
  const ratios = rounds.map(({ ours, limit }) => ours / limit);
  const ratio = median(ratios);
  return {
    row,
    what,
    unit,
    ours: median(rounds.map(({ ours }) => ours)),
    beside,
    limit: median(rounds.map(({ limit }) => limit)),
    ratio,
    spread: spread(ratios),
    goal: goal ? { ...goal, of: 'ratio' } : null,
    met: goal ? isMet(goal, ratio) : null,
    note: note ?? null,
    rounds,
  };
}

/** A line of figures that stand alone. @throws Error where there are none */
export function lineOfFigures({ row, what, unit, goal, note }: About, figures: readonly number[]): Line {
  const ours = median(figures);
  return {
    row,
    what,
    unit,
    ours,
    beside: null,
    limit: null,
    ratio: null,
    spread: spread(figures),
    goal: goal ? { ...goal, of: 'figure' } : null,
    met: goal ? isMet(goal, ours) : null,
    note: note ?? null,
    rounds: figures.map((figure) => ({ ours: figure })),
  };
}

/** Pairs what was measured in turns into rounds. @param of the figure that is meant, where each turn gave several */
export function roundsOf(ours: readonly number[], limits: readonly number[]): Round[];
export function roundsOf<F>(ours: readonly F[], limits: readonly F[], of: (figures: F) => number): Round[];
export function roundsOf<F>(ours: readonly F[], limits: readonly F[], of: (figures: F) => number = Number): Round[] {
  if (ours.length !== limits.length) throw new Error(`${ours.length} turns of ours stand beside ${limits.length}`);
  return ours.map((figures, at) => ({ ours: of(figures), limit: of(limits[at] as F) }));
}

function isMet({ at, value }: Pick<Goal, 'at' | 'value'>, figure: number): boolean {
  return at === 'least' ? figure >= value : figure <= value;
}
