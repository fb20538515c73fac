import { Command } from 'commander';
import type { DeadLetterGroupView } from '@reprise/contracts';
import { filterOf, type FilterOptions, withFilter } from '../../dead/filter-options';
import { DeadLetterApi } from '../../dead/dead-letter-api';
import { environmentOf } from '../../environment';
import { answer, table, type Terminal } from '../../terminal';

const LONGEST = 60;

interface Options extends FilterOptions {
  all?: true;
  json?: true;
  envFile?: string;
}

/** `reprise dead groups`. */
export function deadGroupsVerb(terminal: Terminal): Command {
  return withFilter(
    new Command('groups').description('Group the dead letters that wait for an operator by what failed, the largest first.'),
  )
    .option('--all', 'those that are settled, too: replayed and not come back, or discarded')
    .option('--json', 'print { groups } as JSON')
    .action(async (_, command: Command) => {
      const { all, json, envFile, ...options } = command.optsWithGlobals<Options>();
      const api = DeadLetterApi.of(environmentOf(terminal, envFile));
      const filter = filterOf(options);
      await api.mustKnow(filter);
      const found: { groups: DeadLetterGroupView[] } = { groups: all ? await api.groups(filter) : await api.waitingGroups(filter) };
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
        rows.length > 0
          ? table(['GROUP', 'COUNT', 'QUEUE', 'TYPE', 'REASON', 'LAST FAILED', 'FOR EXAMPLE'], rows)
          : [all || options.status ? 'No dead letters.' : 'No dead letters wait. With --all: those that are settled.'];
      answer(terminal, json === true, found, lines);
    });
}

function short(exception: string | null): string {
  const line = (exception ?? '-').replace(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}
