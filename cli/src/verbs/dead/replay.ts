import { Command, InvalidArgumentError } from 'commander';
import type { ReplayView } from '@reprise/contracts';
import { chosenBy, confirmed } from '../../dead/chosen';
import { type FilterOptions, withFilter } from '../../dead/filter-options';
import { follow, summary } from '../../dead/follow';
import { DeadLetterApi } from '../../dead/dead-letter-api';
import { environmentOf } from '../../environment';
import { Failure, wrongUsage } from '../../failure';
import { answer, type Terminal } from '../../terminal';

interface Options extends FilterOptions {
  rate?: number;
  pause?: string;
  resume?: string;
  cancel?: string;
  follow?: string;
  wait: boolean;
  yes?: true;
  json?: true;
  envFile?: string;
}

/** `reprise dead replay`: begins a replay, or takes hold of one. Exit code 1 where something has failed again by its end. */
export function deadReplayVerb(terminal: Terminal): Command {
  return withFilter(new Command('replay').description('Send dead letters back to the queues that failed, with their message ids.'))
    .argument('[ids...]', 'the dead letters; or choose them by a filter')
    .option('--rate <count>', 'how many messages to send in a second at most', wholeNumber)
    .option('--yes', 'do not ask before replaying more than one')
    .option('--no-wait', 'do not wait for the end')
    .option('--pause <replay>', 'pause a replay')
    .option('--resume <replay>', 'let a paused replay go on')
    .option('--cancel <replay>', 'end a replay early')
    .option('--follow <replay>', 'wait for the end of a replay')
    .option('--json', 'print the replay as JSON')
    .action(async (ids: string[], _, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const begun = await begin(terminal, DeadLetterApi.of(environmentOf(terminal, options.envFile)), ids, options);
      answer(terminal, options.json === true, begun, summary(begun));
      if (begun.failed_again > 0)
        throw new Failure(`${begun.failed_again} dead letter${begun.failed_again === 1 ? ' has' : 's have'} failed again`);
    });
}

async function begin(terminal: Terminal, api: DeadLetterApi, ids: string[], options: Options): Promise<ReplayView> {
  const hold = (['pause', 'resume', 'cancel', 'follow'] as const).filter((verb) => options[verb] !== undefined);
  if (hold.length + (ids.length > 0 ? 1 : 0) > 1) throw wrongUsage('give ids, or one of --pause, --resume, --cancel, --follow');
  const [verb] = hold;
  const replay = verb ? await takeHold(api, verb, options[verb]!) : await replayChosen(terminal, api, ids, options);
  const waits = options.wait && verb !== 'pause' && verb !== 'cancel';
  return waits ? follow(terminal, api, replay) : replay;
}

function takeHold(api: DeadLetterApi, verb: 'pause' | 'resume' | 'cancel' | 'follow', replay: string): Promise<ReplayView> {
  const path = `/replays/${encodeURIComponent(replay)}`;
  return verb === 'follow' ? api.get(path) : api.post(`${path}/${verb}`);
}

async function replayChosen(terminal: Terminal, api: DeadLetterApi, ids: string[], options: Options): Promise<ReplayView> {
  const chosen = chosenBy(ids, options);
  await confirmed(terminal, api, chosen, 'replay', options.yes === true);
  const { rate } = options;
  if ('id' in chosen && rate === undefined) return api.post(`/${encodeURIComponent(chosen.id)}/replay`);
  const filter = 'id' in chosen ? { ids: [chosen.id] } : chosen.filter;
  return api.post('/replays', { filter, ...(rate === undefined ? {} : { rate_per_second: rate }) });
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
