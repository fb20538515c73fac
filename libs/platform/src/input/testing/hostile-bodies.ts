import fc from 'fast-check';

/** About what the public API reads at most. */
export const MEBIBYTE = 1_048_576;

const repeated = (before: string, unit: (at: number) => string, after: string): string => {
  const units: string[] = [];
  let size = before.length + after.length;
  for (let each = unit(0); size + each.length < MEBIBYTE; each = unit(units.length)) {
    units.push(each);
    size += each.length + 1;
  }
  return before + units.join(',') + after;
};

/** Bodies of a megabyte that are meant to cost much, each for another part of whoever reads them. */
export const HOSTILE: Readonly<Record<string, string>> = {
  'texts with NUL, sixty levels down': repeated(`{"name":"a","x":${'{"a":'.repeat(60)}[`, () => '"\\u0000"', `]${'}'.repeat(61)}`),
  '90,000 unknown fields': repeated('{"name":"a",', (at) => `"k${at}":1`, '}'),
  'a list of ones': repeated('{"list":[', () => '1', ']}'),
  'a list of empty objects': repeated('{"list":[', () => '{}', ']}'),
  'objects, each of another shape': repeated('{"list":[', (at) => `{"k${at}":1}`, ']}'),
  'brackets alone': '['.repeat(MEBIBYTE / 2) + ']'.repeat(MEBIBYTE / 2),
  'objects within each other': `${'{"a":'.repeat(170_000)}1${'}'.repeat(170_000)}`,
  'a key of a megabyte': `{"${'k'.repeat(MEBIBYTE - 10)}":1}`,
  'a key of control characters': `{"${'\\u0001'.repeat(MEBIBYTE / 6 - 10)}":1}`,
  'long keys on every level': `${`{"${'k'.repeat(16_000)}":`.repeat(60)}"\\u0000"${'}'.repeat(60)}`,
  'many long keys': repeated('{', (at) => `"${'k'.repeat(1_000)}${at}":1`, '}'),
  'a known list of wrong elements': repeated('{"words":[', () => '7', ']}'),
  'a known list of NUL': repeated('{"words":[', () => `"${'\\u0000'.repeat(20)}"`, ']}'),
  'an object in the place of a list': repeated('{"words":{', (at) => `"${at}":"${'x'.repeat(150)}"`, '}}'),
  'a list in the place of an object': repeated('{"inner":[', () => `{"name":"${'x'.repeat(150)}"}`, ']}'),
  'unknown fields of a known object': repeated('{"inner":{', (at) => `"${'x'.repeat(150)}${at}":1`, '}}'),
  'a map of wrong values': repeated('{"map":{', (at) => `"k${at}":"${'\\u0000'.repeat(30)}"`, '}}'),
  'numbers beyond the finite': repeated('{"map":{', (at) => `"${'n'.repeat(120)}${at}":1e999`, '}}'),
  'halves of surrogate pairs': `{"name":"${'\\ud800'.repeat(MEBIBYTE / 6 - 20)}"}`,
  'a text of escapes': `{"name":"${'\\"'.repeat(MEBIBYTE / 2 - 20)}"}`,
  'a prototype': `{"name":"a","__proto__":{"name":"b"},"map":{"__proto__":{"x":1}}}`,
};

const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'name', 'words', 'inner', 'map', 'then', 'length', '0'),
  fc.string({ unit: 'binary', maxLength: 300 }),
);
const leaf = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('\0', '\ud800', null, true, 1e308, -0, '"\\\u0001'.repeat(100)),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Objects of any shape with the keys and values that are most likely to be taken wrongly, as JSON. */
export const anyBody: fc.Arbitrary<string> = fc
  .dictionary(
    key,
    fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6, depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 40 }),
        fc.dictionary(key, tie('value'), { maxKeys: 40, noNullPrototype: true }),
      ),
    })).value,
    { maxKeys: 40, noNullPrototype: true },
  )
  .map((body) => JSON.stringify(body));
