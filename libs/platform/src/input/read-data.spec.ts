import 'reflect-metadata';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsInt, IsObject, IsOptional, IsString, Length, Matches, ValidateNested } from 'class-validator';
import fc from 'fast-check';
import { Findings } from './findings';
import { JsonError, MOST_VALUES, parseJson } from './json';
import { readData, type ReadOptions } from './read-data';
import { findUnstorable } from './storable';
import { anyBody, HOSTILE } from './testing/hostile-bodies';

class Inner {
  @IsString()
  name!: string;

  @IsOptional()
  @IsObject()
  map?: object;
}

class Input {
  @IsOptional()
  @IsString()
  @Length(1, 63)
  @Matches(/^[a-z]+$/)
  name?: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(64)
  @IsString({ each: true })
  @Length(1, 100, { each: true })
  words?: string[];

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => Inner)
  inner?: Inner;

  @IsOptional()
  @IsObject()
  map?: Record<string, unknown>;

  @IsOptional()
  @IsInt()
  limit = 50;
}

const REFUSED: ReadOptions = { unknown: 'refused' };

function problems(body: string, options = REFUSED): Record<string, string> {
  try {
    const read = readData(Input, parseJson(Buffer.from(body)) as object, options);
    return 'findings' in read ? read.findings.toFields() : {};
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { body: error.message };
  }
}

const read = (value: object, options = REFUSED): unknown => {
  const outcome = readData(Input, value, options);
  return 'data' in outcome ? outcome.data : outcome.findings.toFields();
};

describe('reading data from outside', () => {
  it('gives an instance of the class, with the defaults of what was not sent', () => {
    const data = read({ name: 'a', inner: { name: 'b' } });
    expect(data).toBeInstanceOf(Input);
    expect(data).toEqual({ name: 'a', inner: { name: 'b' }, limit: 50 });
    expect((data as Input).inner).toBeInstanceOf(Inner);
  });

  it('names each field that is wrong by its path, and says one thing of each', () => {
    expect(read({ name: 7, words: ['a', ''], inner: { name: 1, nmae: 2 }, surprise: true, map: { a: ['\0'] }, limit: 'x' })).toEqual({
      name: 'name must be a string',
      words: 'each value in words must be longer than or equal to 1 and shorter than or equal to 100 characters',
      'inner.name': 'name must be a string',
      'inner.nmae': 'is not known here',
      surprise: 'is not known here',
      'map.a.0': 'holds a NUL character',
      limit: 'limit must be an integer number',
    });
  });

  it('tells the same in sentences that begin with the path', () => {
    const outcome = readData(Input, { inner: { name: 1 }, x: 1 }, REFUSED);
    expect('findings' in outcome && outcome.findings.toSentences().sort()).toEqual(['inner.name must be a string', 'x is not known here']);
  });

  it('refuses null only where it is told to', () => {
    expect(read({ name: null })).toEqual({ name: null, limit: 50 });
    expect(read({ name: null }, { ...REFUSED, mayBeNull: (field) => field !== 'name' })).toEqual({ name: 'name must not be null' });
    const inner = read({ inner: { name: 'a', map: null } }, { ...REFUSED, mayBeNull: (_field, Class) => Class === Input });
    expect(inner).toEqual({ 'inner.map': 'map must not be null' });
  });

  it('leaves unknown fields out where it is told to, at every depth, whatever they hold', () => {
    const sent = { name: 'a', later: '\0', inner: { name: 'b', later: { x: 1 } } };
    expect(read(sent, { unknown: 'left out' })).toEqual({ name: 'a', inner: { name: 'b' }, limit: 50 });
  });
});

describe('names that every object has', () => {
  const OWN = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'length'];

  it.each(OWN)('%s is an unknown field like any other', (name) => {
    expect(problems(`{${JSON.stringify(name)}:1}`)).toEqual({ [name]: 'is not known here' });
    expect(problems(`{"inner":{"name":"a",${JSON.stringify(name)}:{}}}`)).toEqual({ [`inner.${name}`]: 'is not known here' });
    expect(problems(`{${JSON.stringify(name)}:{"name":1}}`, { unknown: 'left out' })).toEqual({});
  });

  it.each(OWN.filter((name) => name !== '__proto__'))('%s is kept as a key of a map, however deep', (name) => {
    const map = JSON.parse(`{${JSON.stringify(name)}:{${JSON.stringify(name)}:"x"},"list":[{${JSON.stringify(name)}:1}]}`) as object;
    expect(JSON.stringify(read({ map, inner: { name: 'a', map } }))).toContain(JSON.stringify(map));
    expect(JSON.stringify((read({ inner: { name: 'a', map } }) as Input).inner)).toContain(JSON.stringify(map));
  });

  it('__proto__ is refused as a key of a map, since it would be dropped or worse later', () => {
    expect(problems('{"map":{"a":[{"__proto__":{"x":1}}]}}')).toEqual({
      'map.a.0': 'holds the key __proto__, which no object can keep',
    });
  });

  it('fields that are not its own are none', () => {
    expect(read(Object.create({ name: 7, surprise: 1 }) as object)).toEqual({ limit: 50 });
  });
});

describe('what a hostile body costs', () => {
  it.each(Object.entries(HOSTILE))('%s: few findings, few bytes, few values looked at', (_, body) => {
    const fields = problems(body);
    expect(Object.keys(fields).length).toBeGreaterThan(0);
    expect(Object.keys(fields).length).toBeLessThanOrEqual(20);
    expect(Buffer.byteLength(JSON.stringify(fields))).toBeLessThan(12 * 1024);
  });

  it('no walk looks at more values than one body may have, nor goes on when it has found enough', () => {
    const visits = (value: unknown): number => findUnstorable(value, new Findings());
    expect(visits(Array(1_000_000).fill(1))).toBeLessThanOrEqual(MOST_VALUES + 1);
    expect(visits({ a: Array(1_000).fill(Array(1_000).fill('x')) })).toBeLessThanOrEqual(MOST_VALUES + 1);
    expect(visits(Array(9_000).fill('\0'))).toBe(21);
  });

  it('holds for bodies of every kind, and what is taken is taken whole', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        const sent = JSON.parse(body) as object;
        const outcome = readData(Input, sent, REFUSED);
        if ('data' in outcome) {
          expect(JSON.parse(JSON.stringify(outcome.data))).toEqual({ limit: 50, ...sent });
        } else {
          const fields = outcome.findings.toFields();
          expect(Object.keys(fields).length).toBeLessThanOrEqual(20);
          expect(Buffer.byteLength(JSON.stringify(fields))).toBeLessThan(12 * 1024);
        }
        // Nothing that was sent has reached what all objects share.
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
