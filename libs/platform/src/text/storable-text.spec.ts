import { flawsOf } from './storable-text';

describe('what can be stored', () => {
  it('is any text, number and structure of them', () => {
    expect(flawsOf({ a: 'text \u{1f600} \ufffd', b: [1, -0.5, 1e308], c: { d: null, e: true }, f: '' })).toEqual({});
  });

  it('does not nest without end', () => {
    const deep = JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)) as unknown;
    expect(Object.values(flawsOf(deep))).toEqual(['is nested too deep']);
  });

  it('is not a NUL, half a pair or a number without end, and each is named by its path', () => {
    const flaws = flawsOf({ a: 'x\0', b: ['ok', '\ud83d'], c: { d: 1e999, 'k\0': 1 }, e: '\udc00\ud83d' });
    expect(Object.keys(flaws)).toEqual(['a', 'b.1', 'c.d', 'c', 'e']);
  });
});
