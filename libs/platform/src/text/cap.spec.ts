import fc from 'fast-check';
import { capText } from './cap-text';
import { capValue } from './cap-value';

describe('a text that is capped', () => {
  it('is at most so long in UTF-8, begins as it began, and is whole where it fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer({ min: 3, max: 120 }), (text, bytes) => {
        const capped = capText(text, bytes);
        const whole = Buffer.byteLength(text) <= bytes;
        expect(Buffer.byteLength(capped)).toBeLessThanOrEqual(bytes);
        expect(whole ? capped : capped.slice(0, -1)).toBe(whole ? text : text.slice(0, capped.length - 1));
        if (!whole) expect(capped).toMatch(/…$/);
      }),
    );
  });
});

describe('a value that is capped', () => {
  it('is as it was where it fits', () => {
    const value = { a: [1, 'x', null, { b: true }], c: 'text', d: undefined };
    expect(capValue(value, 1_000)).toEqual(value);
  });

  it('is JSON of about so many bytes, whatever it was', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 12, withUnicodeString: true } as object), (value) => {
        expect(Buffer.byteLength(JSON.stringify(capValue(value, 500)))).toBeLessThan(1_000);
      }),
    );
    const huge = { ['k'.repeat(100_000)]: Array(100_000).fill('\0'.repeat(1_000)), list: Array(100_000).fill({ a: 1 }) };
    expect(Buffer.byteLength(JSON.stringify(capValue(huge, 8_192)))).toBeLessThan(16_384);
  });

  it('looks at no more than it keeps', () => {
    let seen = 0;
    const list = new Proxy(Array(1_000_000).fill(1), { get: (target, at) => (seen++, Reflect.get(target, at) as unknown) });
    capValue(list, 1_000);
    expect(seen).toBeLessThan(1_000);
  });
});
