import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { fieldSize } from './field-size';

interface Codec {
  encodeTable: (into: Buffer, table: object, offset: number) => number;
  decodeFields: (bytes: Buffer) => Record<string, unknown>;
}
// eslint-disable-next-line @typescript-eslint/no-require-imports -- amqplib exports no such thing
const { encodeTable, decodeFields } = require(join(dirname(require.resolve('amqplib')), 'lib/codec.js')) as Codec;

const SCRATCH = Buffer.alloc(1_000_000);

/** What amqplib itself needs for a header; undefined where it throws. */
function needed(name: string, value: unknown): number | undefined {
  try {
    return encodeTable(SCRATCH, { [name]: value }, 0) - 4;
  } catch {
    return undefined;
  }
}

const special = (type: string, value: fc.Arbitrary<unknown>) => value.map((each) => ({ '!': type, value: each }));
const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    -0,
    127,
    128,
    -128,
    -129,
    2 ** 15,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 50,
    2 ** 50 + 0.25,
    -(2 ** 51) - 0.5,
    2 ** 63,
    -(2 ** 63),
    -1e300,
    1e300,
    NaN,
    -Infinity,
  ),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  special('timestamp', fc.constantFrom(0, 1_700_000_000, 2 ** 63, 2 ** 64)),
  special('decimal', fc.record({ places: fc.nat(300), digits: fc.nat() }, { noNullPrototype: true })),
);
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string({ maxLength: 300 }), tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

it('the size of a header is what amqplib needs for it, and is not told where amqplib cannot write it', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), anyValue, (name, value) => expect(fieldSize(name, value)).toBe(needed(name, value))),
    { numRuns: 500 },
  );
});

it('what is read and has a size can be written', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), anyValue, { noNullPrototype: true }), (headers) => {
      const written = Object.entries(headers).filter(([name, value]) => needed(name, value) !== undefined);
      const size = encodeTable(SCRATCH, Object.fromEntries(written), 0);
      for (const [name, value] of Object.entries(decodeFields(Buffer.from(SCRATCH.subarray(4, size))))) {
        if (fieldSize(name, value) !== undefined) expect(needed(name, value)).toBe(fieldSize(name, value));
      }
    }),
  );
});

it.each([
  ['a table that amqplib takes for a type', { '!': 'nonsense' }],
  ['a table with bytes for a prototype', Object.setPrototypeOf({}, Buffer.from('x'))],
  ['what nests without end', Array.from({ length: 50_000 }).reduce<unknown>((inner) => [inner], 1)],
  ['a function', () => 1],
])('%s has none', (_, value) => expect(fieldSize('junk', value)).toBeUndefined());
