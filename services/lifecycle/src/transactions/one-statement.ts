import { isDivisionByZero } from '@reprise/platform';
import type { EntityManager } from 'typeorm';

/** A piece of SQL that binds its own values: `(bind) => \`UPDATE … WHERE id = ${bind(id)} RETURNING 1\``. It ends in `RETURNING 1`. */
export type Fragment = (bind: (value: unknown) => string) => string;

/** A guarded write hit another number of rows than it must: someone else was faster. The transaction is to be rolled back. */
export class StaleWriteError extends Error {
  constructor(
    readonly part: string,
    expected: number,
    actual: number,
  ) {
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
    const { members, values } = this.written();
    const counts = this.parts.map(({ name }) => `${countOf(name)} AS ${name}`);
    const [row] = await manager.query<Record<string, number>[]>(`WITH ${members} SELECT ${counts.join(', ')}`, values);
    const changed = row ?? {};
    for (const { name, expected } of this.parts) {
      const actual = changed[name] ?? 0;
      if (expected !== undefined && actual !== expected) throw new StaleWriteError(name, expected, actual);
    }
    return changed;
  }

  /**
   * Runs it without a transaction around it: it is one itself. Where a part would change another number of rows than it must, nothing is written.
   * @returns whether it was written
   */
  async runAlone(manager: EntityManager): Promise<boolean> {
    const { members, values } = this.written();
    // Bound, so that statements that differ in a number are one to the connection.
    const asExpected = this.parts.flatMap(({ name, expected }) =>
      expected === undefined ? [] : [`${countOf(name)} = $${values.push(expected)}::int`],
    );
    try {
      // An error is all that undoes what a statement has written.
      await manager.query(`WITH ${members} SELECT 1 / (CASE WHEN ${asExpected.join(' AND ')} THEN 1 ELSE 0 END)`, values);
      return true;
    } catch (error) {
      if (isDivisionByZero(error)) return false;
      throw error;
    }
  }

  private written(): { members: string; values: unknown[] } {
    const values: unknown[] = [];
    const bind = (value: unknown): string => `$${values.push(value)}`;
    return { members: this.parts.map(({ name, fragment }) => `${name} AS (${fragment(bind)})`).join(', '), values };
  }
}

function countOf(part: string): string {
  return `(SELECT count(*)::int FROM ${part})`;
}
