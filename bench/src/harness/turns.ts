/** What is measured in turns, by name. Each gives its figure, or several. */
export type Measures<K extends string, F> = Readonly<Record<K, () => Promise<F>>>;

export interface Turns {
  readonly rounds: number;
  /** Aborted when the run is to end: no further turn is begun. */
  readonly signal: AbortSignal;
  /** False where a turn takes too long for one that does not count. */
  readonly warmUp?: boolean;
  /** Before each turn, and in none of them. */
  readonly before?: () => Promise<unknown>;
}

/**
 * Measures these in turns, each round in the opposite order of the one before: what drifts, and what the one before leaves behind, meets all
 * alike. One turn of each goes before and does not count: compilers, caches and connections are warm then.
 */
export async function inTurns<K extends string, F>(
  measures: Measures<K, F>,
  { rounds, signal, warmUp = true, before }: Turns,
): Promise<Record<K, F[]>> {
  const names = Object.keys(measures) as K[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as F[]])) as Record<K, F[]>;
  for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      signal.throwIfAborted();
      await before?.();
      const figure = await measures[name]();
      if (round > 0) figures[name].push(figure);
    }
  }
  return figures;
}
