import { Command } from 'commander';
import { chosenBy, confirmed } from '../../dead/chosen';
import { type FilterOptions, withFilter } from '../../dead/filter-options';
import { DeadLetterApi } from '../../dead/dead-letter-api';
import { environmentOf } from '../../environment';
import { answer, type Terminal } from '../../terminal';

interface Options extends FilterOptions {
  reason: string;
  yes?: true;
  json?: true;
  envFile?: string;
}

/** `reprise dead discard`. */
export function deadDiscardVerb(terminal: Terminal): Command {
  return withFilter(new Command('discard').description('Give dead letters up. They stay on record, with the reason.'))
    .argument('[ids...]', 'the dead letters; or choose them by a filter')
    .requiredOption('--reason <text>', 'why; recorded for good')
    .option('--yes', 'do not ask before discarding more than one')
    .option('--json', 'print { discarded } as JSON')
    .action(async (ids: string[], _, command: Command) => {
      const { reason, yes, json, envFile, ...options } = command.optsWithGlobals<Options>();
      const chosen = chosenBy(ids, options);
      const api = DeadLetterApi.of(environmentOf(terminal, envFile));
      await confirmed(terminal, api, chosen, 'discard', yes === true);
      const outcome =
        'id' in chosen
          ? await api.post(`/${encodeURIComponent(chosen.id)}/discard`, { reason }).then(() => ({ discarded: 1 }))
          : await api.post<{ discarded: number }>('/discard', { filter: chosen.filter, reason });
      answer(terminal, json === true, outcome, [`${outcome.discarded} discarded`]);
    });
}
