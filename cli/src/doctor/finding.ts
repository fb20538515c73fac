/** One thing that is wrong with an instance. */
export interface Finding {
  /** What kind of thing, for scripts. */
  code: FindingCode;
  what: string;
  /** Since when, RFC 3339; null where nobody knows. */
  since: string | null;
  /** What to do about it: a command where there is one. */
  do: string;
}

export type FindingCode =
  | 'broker_unreachable'
  | 'database_unreachable'
  | 'service_down'
  | 'service_silent'
  | 'service_unready'
  | 'service_restarted'
  | 'query_unanswered'
  | 'queue_missing'
  | 'queue_unconsumed'
  | 'dead_letters'
  | 'dead_letters_uncollected'
  | 'replay_stuck'
  | 'workspaces_failed'
  | 'workspaces_unsaved'
  | 'operation_stuck'
  | 'operation_overdue'
  | 'task_stuck'
  | 'job_overdue'
  | 'outbox_grows'
  | 'snapshot_store_fails'
  | 'pods_corrected'
  | 'pods_not_isolated'
  | 'pods_uncorrected'
  | 'pods_unknown'
  | 'clock_off';

/** For a person: what, since when, and what to do, each finding in two lines. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ what, since, do: remedy }) => [`! ${what}${since === null ? '' : `, since ${since}`}`, `    ${remedy}`]);
}
