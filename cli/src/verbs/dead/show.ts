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

function lines({ stack, headers, properties, body, history, sender, ...facts }: DeadLetterWhole): string[] {
  const first = { sender: sender ?? 'unknown: nobody vouches for one', 'to do': adviceFor(facts), ...facts };
  const known = Object.entries(first).flatMap(([name, value]) => (value === null ? [] : [[name, printable(value)]]));
  // It stands above already.
  const others = Object.fromEntries(Object.entries(headers).filter(([, value]) => stack === null || value !== stack));
  const shown = body.encoding === 'utf8' ? body.content : `(base64) ${body.content}`;
  return [
    ...table(['FIELD', 'VALUE'], known),
    ...section('STACK', stack ?? '-'),
    ...section('PROPERTIES', JSON.stringify(properties, null, 2)),
    ...section('HEADERS', JSON.stringify(others, null, 2)),
    ...section('BODY', `${printable(shown)}${body.truncated ? '… (cut off)' : ''}`),
    '',
    ...table(
      ['WHEN', 'WHAT', 'WHO', 'DETAIL'],
      history.map(({ at, action, actor, detail }) => [at, action, actor ?? '-', JSON.stringify(detail)]),
    ),
  ];
}

const BY_SENDER = 'the sender has to mend it: tell the sender, and discard it with a reason';
const ADVICE: Readonly<Record<string, string>> = {
  unparseable: BY_SENDER,
  invalid: BY_SENDER,
  no_handler: 'nothing here handles this type: look for a service that is older or newer than the others, then replay it',
  forbidden: 'the sender may not send this type: find out who sent it and why, then discard it',
  unauthenticated: BY_SENDER,
  implausible_generation: 'a mistake or a forgery: find out who sent it, then discard it',
  message_id_reused: 'another message had this id first: the sender has to give each message its own; discard it',
  retries_exhausted: 'mend what the exception names, then replay it',
  delivery_limit: 'the service died or stood still each time it had this message: read its log, then replay it',
};

function adviceFor({ status, reason }: Pick<DeadLetterWhole, 'status' | 'reason'>): string {
  if (status === 'discarded' || status === 'replayed') return 'nothing: it is settled';
  if (status === 'replaying') return 'nothing: its replay sends it';
  return ADVICE[reason] ?? 'read the exception; then replay it, or discard it with a reason';
}

function section(title: string, text: string): string[] {
  return ['', title, ...text.split('\n').map(printable)];
}

/** Whatever a message holds, it does not get to move the cursor of a terminal. */
function printable(value: unknown): string {
  return String(value).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD');
}
