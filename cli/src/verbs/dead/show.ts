import { Command } from 'commander';
import type { DeadLetterWhole } from '@reprise/contracts';
import { DeadLetterApi } from '../../dead/dead-letter-api';
import { environmentOf } from '../../environment';
import { answer, type Terminal, table } from '../../terminal';

/** `reprise dead show`. */
export function deadShowVerb(terminal: Terminal): Command {
  return new Command('show')
    .description('Show one dead letter whole.')
    .argument('<id>', 'the dead letter')
    .option('--json', 'print it as JSON')
    .action(async (id: string, _, command: Command) => {
      const { json, envFile } = command.optsWithGlobals<{ json?: true; envFile?: string }>();
      const letter = await DeadLetterApi.of(environmentOf(terminal, envFile)).get<DeadLetterWhole>(`/${encodeURIComponent(id)}`);
      answer(terminal, json === true, letter, lines(letter));
    });
}

function lines({ stack, headers, properties, body, history, ...facts }: DeadLetterWhole): string[] {
  const known = Object.entries(facts).flatMap(([name, value]) => (value === null ? [] : [[name, printable(value)]]));
  const shown = body.encoding === 'utf8' ? body.content : `(base64) ${body.content}`;
  return [
    ...table(['FIELD', 'VALUE'], known),
    ...section('STACK', stack ?? '-'),
    ...section('PROPERTIES', JSON.stringify(properties, null, 2)),
    ...section('HEADERS', JSON.stringify(headers, null, 2)),
    ...section('BODY', `${printable(shown)}${body.truncated ? '… (cut off)' : ''}`),
    '',
    ...table(
      ['WHEN', 'WHAT', 'WHO', 'DETAIL'],
      history.map(({ at, action, actor, detail }) => [at, action, actor ?? '-', JSON.stringify(detail)]),
    ),
  ];
}

function section(title: string, text: string): string[] {
  return ['', title, ...text.split('\n').map(printable)];
}

/** Whatever a message holds, it does not get to move the cursor of a terminal. */
function printable(value: unknown): string {
  return String(value).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD');
}
