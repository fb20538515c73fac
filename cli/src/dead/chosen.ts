import { Failure, wrongUsage } from '../failure';
import type { Terminal } from '../terminal';
import { type Filter, filterOf, type FilterOptions } from './filter-options';
import type { DeadLetterApi } from './dead-letter-api';

/** The letters that a command line names: one, or all that a filter fits. */
export type Chosen = { id: string } | { filter: Filter & { ids?: string[] } };

/** @throws Failure where it names none, or names them in both ways */
export function chosenBy(ids: readonly string[], options: FilterOptions): Chosen {
  const filter = filterOf(options);
  const filtered = Object.keys(filter).length > 0;
  if (ids.length > 0 && filtered) throw wrongUsage('give ids or a filter, not both');
  if (ids.length === 0 && !filtered)
    throw wrongUsage('say which: ids, or at least one of --type, --queue, --failed-for, --org, --workspace, --group, …');
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return { id };
  return { filter: ids.length > 0 ? { ids: [...ids] } : filter };
}

/**
 * Asks before something is done to more than one letter.
 * @param verb what is done, as in "replay 7 dead letters?"
 * @returns how many there are
 * @throws Failure where the answer is no, or nobody is there to answer
 */
export async function confirmed(terminal: Terminal, api: DeadLetterApi, chosen: Chosen, verb: string, yes: boolean): Promise<number> {
  if ('id' in chosen) return 1;
  const { ids, ...filter } = chosen.filter;
  if (!ids) await api.mustKnow(filter);
  const count = ids ? ids.length : await api.waiting(filter);
  if (count <= 1 || yes) return count;
  const what = `${verb} ${count} dead letters`;
  if (!terminal.ask) throw wrongUsage(`to ${what}, add --yes: nobody is here to confirm it`);
  if (!/^y(es)?$/i.test((await terminal.ask(`${what}? [y/N] `)).trim())) throw new Failure('nothing was done');
  return count;
}
