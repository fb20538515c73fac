import { Command } from 'commander';
import type { DeadLetterGroupView } from '@reprise/contracts';
import { filterOf, type FilterOptions, withFilter } from '../../dead/filter-options';
import { DeadLetterApi } from '../../dead/dead-letter-api';
import { environmentOf } from '../../environment';
import { answer, table, type Terminal } from '../../terminal';

const LONGEST = 60;

/** `reprise dead groups`. */
export function deadGroupsVerb(terminal: Terminal): Command {
  return withFilter(new Command('groups').description('Group dead letters by what failed, the largest group first.'))
    .option('--json', 'print { groups } as JSON')
    .action(async (_, command: Command) => {
      const { json, envFile, ...options } = command.optsWithGlobals<FilterOptions & { json?: true; envFile?: string }>();
      const api = DeadLetterApi.of(environmentOf(terminal, envFile));
      const found = await api.get<{ groups: DeadLetterGroupView[] }>('/groups', { ...filterOf(options), limit: '200' });
      const rows = found.groups.map((g) => [
        g.group,
        String(g.count),
        g.queue,
        g.type ?? '-',
        g.reason,
        g.last_failed_at,
        short(g.exception),
      ]);
      const lines =
        rows.length > 0 ? table(['GROUP', 'COUNT', 'QUEUE', 'TYPE', 'REASON', 'LAST FAILED', 'FOR EXAMPLE'], rows) : ['No dead letters.'];
      answer(terminal, json === true, found, lines);
    });
}

function short(exception: string | null): string {
  const line = (exception ?? '-').replace(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}
