import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { DEFINITIONS_FILE, definitionsOfContracts } from '../broker/definitions';
import { Failure } from '../failure';
import { answer, type Terminal } from '../terminal';

const FILE = 'deploy/rabbitmq/definitions.json';

/** `reprise definitions`: the broker's definition as the contracts say it, to be committed. */
export function definitionsVerb(terminal: Terminal): Command {
  return new Command('definitions')
    .description(`Print the broker's definition (${FILE}), made from the message contracts.`)
    .option('--check', 'compare the committed file instead; exit code 1 where it differs')
    .option('--json', 'the definition is JSON in any case; with --check: { up_to_date }')
    .action((options: { check?: true; json?: true }) => {
      if (!options.check) return terminal.out(definitionsOfContracts());
      const upToDate = readFileSync(DEFINITIONS_FILE, 'utf8') === definitionsOfContracts();
      if (options.json || upToDate) answer(terminal, options.json === true, { up_to_date: upToDate }, [`${FILE} is up to date`]);
      if (!upToDate) throw new Failure(`${FILE} is not what the contracts say; write it anew: npx reprise definitions > ${FILE}`);
    });
}
