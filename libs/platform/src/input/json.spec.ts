import fc from 'fast-check';
import { JsonError, MOST_VALUES, parseJson } from './json';

const why = (text: string | Buffer): string => {
  try {
    parseJson(Buffer.from(text as string));
    return 'taken';
  } catch (error) {
    return (error as JsonError).why;
  }
};

describe('parsing JSON from outside', () => {
  it('gives what JSON.parse gives, for any JSON', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 10 }), (text) => expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text))));
  });

  it.each(['', ' ', '{', 'nonsense', '{"a":1}x', '"\\"', `{"a":"${'x'.repeat(100)}`])('%j is unreadable', (text) => {
    expect(why(text)).toBe('unreadable');
  });

  it('bytes that are not UTF-8 are unreadable', () => {
    expect(why(Buffer.from('{"a":"\xff"}', 'latin1'))).toBe('unreadable');
  });

  it('counts values and levels before it parses, and takes what has just as many as may be', () => {
    const list = (length: number) => `[${Array(length).fill('1').join(',')}]`;
    expect(why(list(MOST_VALUES - 1))).toBe('taken');
    expect(why(list(MOST_VALUES + 1))).toBe('excessive');
    expect(why(`${'['.repeat(64)}${']'.repeat(64)}`)).toBe('taken');
    expect(why(`${'['.repeat(65)}${']'.repeat(65)}`)).toBe('excessive');
    expect(why(`${'[],'.repeat(3_000)}[]`)).toBe('unreadable');
  });

  it('is not misled by commas and brackets within texts', () => {
    const text = JSON.stringify({ a: '[{,"\\'.repeat(10_000), 'b[\\"{': '\\' });
    expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
  });
});
