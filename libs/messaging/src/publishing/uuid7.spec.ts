import { uuid7 } from './uuid7';

describe('uuid7', () => {
  it('is a UUID of version 7 that holds its time', () => {
    const now = Date.now() + 1_000_000;
    const id = uuid7(now);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(now);
  });

  it('grows, within a millisecond and when the clock goes back', () => {
    const now = Date.now() + 2_000_000;
    const ids = Array.from({ length: 10_000 }, (_, i) => uuid7(i % 3 === 0 ? now : now - 5));
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });
});
