import type { DataSource } from 'typeorm';

/** For a `BatchLoader` of rows. With more than one under way nobody waits for another where there is no rush. */
export const MOST_AT_ONCE = { most: 100, atOnce: 2 };

/**
 * That the column is one of those that are bound as `$1`. By way of a sub-select, whose number of rows the planner guesses, whatever is bound: with the
 * array itself a statement for few would look cheaper than the plan that is kept for all, and be planned each time.
 */
export function oneOf(column: string): string {
  return `${column} = ANY (ARRAY(SELECT unnest($1::text[])))`;
}

/** Rows that have an id, by it. @param sql with `oneOf` in it */
export async function byId<T extends { id: string }>(dataSource: DataSource, sql: string, ids: string[]): Promise<ReadonlyMap<string, T>> {
  const rows = await dataSource.query<T[]>(sql, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}
