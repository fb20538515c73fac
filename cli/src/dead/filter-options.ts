import { type Command, Option } from 'commander';
import { DEAD_LETTER_STATUSES } from '@reprise/contracts';

/** A filter as the REST API takes it. */
export type Filter = Partial<
  Record<'type' | 'queue' | 'reason' | 'org_id' | 'workspace_id' | 'status' | 'group' | 'since' | 'until', string>
>;

export interface FilterOptions {
  type?: string;
  queue?: string;
  failedFor?: string;
  org?: string;
  workspace?: string;
  status?: string;
  group?: string;
  since?: string;
  until?: string;
}

/** Adds the options by which letters are chosen. */
export function withFilter(command: Command): Command {
  return command
    .option('--type <type>', 'messages of this type')
    .option('--queue <queue>', 'messages that failed in this queue')
    .option('--failed-for <reason>', 'messages that failed for this reason: unparseable, invalid, no_handler, retries_exhausted, …')
    .option('--org <org>', 'messages of this organization')
    .option('--workspace <id>', 'messages about this workspace')
    .addOption(new Option('--status <status>', 'letters in this status').choices(DEAD_LETTER_STATUSES))
    .option('--group <group>', 'letters of this group (see reprise dead groups)')
    .option('--since <time>', 'last failed then or later (RFC 3339)')
    .option('--until <time>', 'last failed before then');
}

export function filterOf({
  type,
  queue,
  failedFor: reason,
  org: org_id,
  workspace: workspace_id,
  status,
  group,
  since,
  until,
}: FilterOptions): Filter {
  const all = { type, queue, reason, org_id, workspace_id, status, group, since, until };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
