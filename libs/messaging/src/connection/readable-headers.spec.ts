import { dirname, join } from 'node:path';
import { HEADER } from '../publishing/headers';
import { readHeadersSafely, withReadableHeaders } from './readable-headers';

interface Library {
  encodeProperties: (id: number, channel: number, bodySize: number, properties: object) => Buffer;
  decode: (id: number, payload: Buffer) => { headers?: Record<string, unknown> };
}
// eslint-disable-next-line @typescript-eslint/no-require-imports -- amqplib exports no such thing
const { encodeProperties, decode } = require(join(dirname(require.resolve('amqplib')), 'lib/defs.js')) as Library;

const BASIC = 60;
const frame = (properties: object): Buffer => encodeProperties(BASIC, 1, 3, properties);
const read = (bytes: Buffer) => decode(BASIC, bytes.subarray(19, bytes.length - 1));
const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown =>
  Array.from({ length: levels }).reduce((inner: unknown) => wrap(inner), 1);
/** As they would come from another client: the first of these values has another tag. */
function retag(bytes: Buffer, find: string, tag: string): Buffer {
  const changed = Buffer.from(bytes);
  changed.write(tag, changed.indexOf(find) + find.length);
  return changed;
}

const PLAIN = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: { a: 1, b: [true, { c: 'é' }], d: Buffer.from('x'), e: null, f: 0.5, g: { '!': 'timestamp', value: 7 } },
  messageId: 'm',
};

describe('a content header', () => {
  it.each([
    ['with ordinary headers', frame(PLAIN)],
    ['without headers', frame({ messageId: 'm' })],
    ['with nothing at all', frame({})],
    ['that has not come whole', frame({ headers: { deep: nested(33, (inner) => [inner]) } }).subarray(0, -1)],
    ['of which only the beginning is there', Buffer.from([2, 0])],
    ['that is none', Buffer.from([1, 0, 1, 0, 0, 0, 0, 206])],
    ['that names a prototype', frame({ headers: Object.fromEntries([['__proto__', { x: 1 }]]) })],
  ])('%s stays as it is', (_, bytes) => expect(withReadableHeaders(bytes)).toBe(bytes));

  it.each<[string, (inner: unknown) => unknown]>([
    ['arrays', (inner) => [inner]],
    ['tables', (inner) => ({ t: inner })],
    ['tables beside other things', (inner) => ({ a: 1, t: inner, z: 'x' })],
  ])('loses what nests too deep in %s, and nothing else', (_, wrap) => {
    const good = { ...PLAIN, headers: { ...PLAIN.headers, level32: nested(32, wrap) } };
    expect(withReadableHeaders(frame(good))).toEqual(frame(good));
    const bad = { ...good, headers: { first: nested(33, wrap), ...good.headers, last: nested(400, wrap) } };
    const behind = Buffer.from('the next frame');
    const bytes = withReadableHeaders(Buffer.concat([frame(bad), behind]));
    expect(bytes.subarray(-behind.length)).toEqual(behind);
    const note = expect.stringMatching(/^first \(33 levels deep, \d+ bytes\); last \(400 levels deep, \d+ bytes\)$/);
    expect(read(bytes.subarray(0, -behind.length))).toMatchObject({ ...good, headers: { ...good.headers, [HEADER.unreadable]: note } });
    expect(bytes.readUInt32BE(3)).toBe(bytes.length - behind.length - 8);
  });

  it('loses what has a type that amqplib does not know, at any depth', () => {
    const deep = retag(frame({ headers: { a: 1, junk: [{ odd: 'x' }], z: 2 } }), '\x03odd', 'Z');
    expect(read(withReadableHeaders(deep)).headers).toEqual({ a: 1, z: 2, [HEADER.unreadable]: 'junk (holds an unknown type)' });
    const top = retag(frame({ headers: { a: 1, odd: 'x', z: 2 } }), '\x03odd', 'Z');
    expect(read(withReadableHeaders(top)).headers).toEqual({ a: 1, [HEADER.unreadable]: 'odd and what follows it (of an unknown type)' });
  });

  it('never grows much, however many headers are bad', () => {
    const headers = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`h${i}`, nested(33, (inner) => [inner])]));
    const note = read(withReadableHeaders(frame({ headers }))).headers![HEADER.unreadable] as string;
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
    expect(note).toMatch(/; and 290 more$/);
  });
});

it('amqplib’s reader gets what is left', () => {
  const reader = { rest: frame({ headers: { deep: nested(33, (inner) => [inner]) } }), recvFrame: () => read(reader.rest) };
  readHeadersSafely(reader);
  expect(reader.recvFrame()).toMatchObject({ headers: { [HEADER.unreadable]: expect.stringContaining('deep') } });
});
