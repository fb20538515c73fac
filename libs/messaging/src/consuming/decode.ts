import { type Findings, JsonError, parseJson, readData } from '@reprise/platform';
import type { MessageSpec } from '../topology/catalog';
import { DeadLetter } from './outcome';

/** The most bytes of data that a message may have: a task's text at its limit, however it is escaped, and room. */
export const LARGEST_DATA = 4 * 1024 * 1024;

/**
 * The data of a message as an instance of its class, valid by its rules. An unknown field is refused in a command or a query, since it may be
 * a misspelt `force`; in an event it is left out, so that a producer may tell more before its consumers know.
 * @throws DeadLetter `unparseable`: not JSON in UTF-8; `invalid`: an object of another shape, or too large, with what is wrong by field
 */
export function decode(body: Buffer, spec: MessageSpec): object {
  const plain = parse(body, spec);
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw new DeadLetter('invalid', `The data of ${spec.type} is not an object`);
  }
  const read = readData(spec.data, plain, { unknown: spec.kind === 'event' ? 'left out' : 'refused' });
  if ('findings' in read) throw new DeadLetter('invalid', `The data of ${spec.type} is not valid: ${said(read.findings)}`);
  return read.data;
}

/** What is wrong, in one line. */
export function said(findings: Findings): string {
  return findings.toSentences().join('; ');
}

function parse(body: Buffer, { type }: MessageSpec): unknown {
  if (body.length > LARGEST_DATA)
    throw new DeadLetter('invalid', `The data of ${type} has ${body.length} bytes; ${LARGEST_DATA} are the most`);
  try {
    return parseJson(body);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new DeadLetter(cause.why === 'unreadable' ? 'unparseable' : 'invalid', `The data of ${type} ${cause.message}`, { cause });
  }
}
