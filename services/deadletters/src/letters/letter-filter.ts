import type { DeadLetterFilter } from '@reprise/contracts';

/** Collects the parameters of a statement: gives each its placeholder. */
export class Parameters {
  readonly values: unknown[] = [];

  bind(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}

const EQUAL = ['type', 'queue', 'reason', 'org_id', 'workspace_id', 'status'] as const;

/** The condition that a filter means; TRUE where it says nothing. */
export function conditionOf(filter: DeadLetterFilter, parameters: Parameters): string {
  const conditions = EQUAL.flatMap((field) => {
    const value = filter[field];
    return value === undefined ? [] : [`${field} = ${parameters.bind(value)}`];
  });
  if (filter.group !== undefined) conditions.push(`fingerprint = ${parameters.bind(filter.group)}`);
  if (filter.ids !== undefined) conditions.push(`id = ANY (${parameters.bind(filter.ids)}::text[])`);
  if (filter.since !== undefined) conditions.push(`last_failed_at >= ${parameters.bind(filter.since)}::timestamptz`);
  if (filter.until !== undefined) conditions.push(`last_failed_at < ${parameters.bind(filter.until)}::timestamptz`);
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ');
}

/** Whether the filter narrows anything down. */
export function saysSomething(filter: DeadLetterFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined && value !== null);
}
