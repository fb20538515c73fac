import { Gathering } from './gathering';

/** Asks for some things by their keys, at once. @returns what was found, by key; without those that are unknown */
export type Ask<T> = (keys: string[]) => Promise<ReadonlyMap<string, T>>;

export interface BatchLoaderOptions {
  /** How many keys one question may have. */
  readonly most: number;
  /** How many questions may be under way before what is asked is gathered; one where nothing is said. */
  readonly atOnce?: number;
  /** How long a question that was put keeps others from being put. */
  readonly patienceMs?: number;
}

/**
 * Loads things by their keys, many at once where many are wanted. A question is put after whoever is in it has asked, so no answer is older than what it
 * is for, and none is kept. Those that ask for the same key share its answer, which is for reading alone.
 */
export class BatchLoader<T> {
  private readonly questions: Gathering<Set<string>, ReadonlyMap<string, T>>;

  constructor(ask: Ask<T>, { most, ...rest }: BatchLoaderOptions) {
    this.questions = new Gathering((keys) => ask([...keys]), { empty: () => new Set(), isFull: (keys) => keys.size >= most, ...rest });
  }

  /** What has this key; undefined where it is unknown. @throws what the question threw, to all that are in it */
  async load(key: string): Promise<T | undefined> {
    return (await this.questions.join((keys) => keys.add(key))).get(key);
  }
}
