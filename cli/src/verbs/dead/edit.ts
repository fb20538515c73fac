import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { ReplayView } from '@reprise/contracts';
import { follow, summary } from '../../dead/follow';
import { DeadLetterApi } from '../../dead/dead-letter-api';
import { environmentOf } from '../../environment';
import { reasonOf, wrongUsage } from '../../failure';
import { answer, type Terminal } from '../../terminal';

interface Options {
  data: string;
  reason: string;
  json?: true;
  envFile?: string;
}

/** `reprise dead edit`: off unless the installation allows it (EDIT_DEAD_LETTERS). */
export function deadEditVerb(terminal: Terminal): Command {
  return new Command('edit')
    .description('Replay a dead letter with other data: a new message, in your name, linked to the old one. Off by default.')
    .argument('<id>', 'the dead letter')
    .requiredOption('--data <json>', 'the data of the new message; @file reads it from a file')
    .requiredOption('--reason <text>', 'why; recorded for good')
    .option('--json', 'print the replay as JSON')
    .action(async (id: string, _, command: Command) => {
      const { data, reason, json, envFile } = command.optsWithGlobals<Options>();
      const body = { data: dataOf(terminal, data), reason };
      const api = DeadLetterApi.of(environmentOf(terminal, envFile));
      const replay = await follow(terminal, api, await api.post<ReplayView>(`/${encodeURIComponent(id)}/edit`, body));
      answer(terminal, json === true, replay, summary(replay));
    });
}

function dataOf(terminal: Terminal, text: string): unknown {
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(resolve(terminal.cwd, text.slice(1)), 'utf8') : text) as unknown;
  } catch (error) {
    throw wrongUsage(`--data is not JSON: ${reasonOf(error)}`);
  }
}
