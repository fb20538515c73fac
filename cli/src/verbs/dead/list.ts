import { Command } from 'commander';
import type { DeadLetterView } from '@reprise/contracts';
import { filterOf, type FilterOptions, withFilter } from '../../dead/filter-options';
import { DeadLetterApi } from '../../dead/dead-letter-api';
import { environmentOf } from '../../environment';
import { answer, table, type Terminal } from '../../terminal';

interface Options extends FilterOptions {
  limit: string;
  cursor?: string;
  json?: true;
  envFile?: string;
}

interface Page {
  dead_letters: DeadLetterView[];
  cursor?: string;
}

/** `reprise dead list`. */
export function deadListVerb(terminal: Terminal): Command {
  return withFilter(new Command('list').description('List dead letters, newest first.'))
    .option('--limit <count>', 'how many, at most 200', '50')
    .option('--cursor <cursor>', 'where the page before this one ended')
    .option('--json', 'print { dead_letters, cursor? } as JSON')
    .action(async (_, command: Command) => {
      const { limit, cursor, json, envFile, ...options } = command.optsWithGlobals<Options>();
      const api = DeadLetterApi.of(environmentOf(terminal, envFile));
      await api.mustKnow(filterOf(options));
      const page = await api.get<Page>('', { ...filterOf(options), limit, ...(cursor ? { cursor } : {}) });
      const rows = page.dead_letters.map((d) => [d.id, d.status, d.last_failed_at, d.queue, d.type ?? '-', d.reason, d.org_id ?? '-']);
      const lines =
        rows.length > 0 ? table(['DEAD LETTER', 'STATUS', 'LAST FAILED', 'QUEUE', 'TYPE', 'REASON', 'TENANT'], rows) : ['No dead letters.'];
      answer(terminal, json === true, page, page.cursor ? [...lines, '', `More: --cursor ${page.cursor}`] : lines);
    });
}
