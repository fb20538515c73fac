import { nestedArrays } from '../../libs/messaging/test/support/wire';
import { type BadMessage, HANDLED, INVALID, STOP } from './bad-message';

/** The client of the broker sends the bytes of a header of this name as the content of an array. */
export const DEEP = 'x-deep';
/** In the place of this it sends as many bytes that are not UTF-8. */
export const NOT_UTF8 = '~'.repeat(255);

const about = ({ missing }: { missing: string }) => ({ workspace_id: missing });

/** What AMQP carries, and amqplib reads but cannot write again. */
const ONE_WAY: readonly [string, Record<string, unknown>][] = [
  ['more doubles than there is room for', { junk: Array(7_000).fill(0.5) }],
  ['a double far below nought', { junk: { '!': 'double', value: -1e300 } }],
  ['a timestamp beyond all time', { junk: { '!': 'timestamp', value: 2n ** 64n - 1n } }],
  ['a table that looks like a type of amqplib', { junk: [{ '!': 'object', value: { '!': 'nonsense', value: 1 } }] }],
  ['bytes for a prototype', { junk: [{ '!': 'object', value: Object.fromEntries([['__proto__', Buffer.from('x')]]) }] }],
  ['a name that is not UTF-8', { [NOT_UTF8]: 1 }],
];

/** Headers that cannot be read, or not be written again. */
export const HEADERS: readonly BadMessage[] = [
  ...[33, 12_500].map((levels) => ({
    name: `a header that nests ${levels} levels deep`,
    type: STOP,
    body: about,
    headers: { [DEEP]: nestedArrays(levels) },
    end: INVALID,
  })),
  ...ONE_WAY.flatMap(([name, headers]) => [
    { name: `a header with ${name}`, type: STOP, body: about, headers, end: HANDLED },
    { name: `a wrong body, and a header with ${name}`, type: STOP, body: () => ({ nope: 1 }), headers, end: INVALID },
  ]),
  ...(['messageId', 'correlationId'] as const).map((property) => ({
    name: `a ${property} that is not UTF-8`,
    type: STOP,
    body: about,
    properties: { [property]: NOT_UTF8 },
    end: INVALID,
  })),
  // It may reply to nothing of that name, so nothing is done with it.
  { name: 'a replyTo that is not UTF-8', type: STOP, body: about, properties: { replyTo: NOT_UTF8 }, end: HANDLED },
];
