import { linkSegmentsOf, mtimeOf, segmentsOf } from './entry-path';

const at = (name: string, pax?: Record<string, string>): string[] => segmentsOf({ name, pax });

describe('the place of an entry', () => {
  it.each([
    ['./', []],
    ['.', []],
    ['a', ['a']],
    ['a/b/', ['a', 'b']],
    ['./a//b/.', ['a', 'b']],
    ['..a/b..', ['..a', 'b..']],
  ])('%p is %p', (name, segments) => {
    expect(at(name)).toEqual(segments);
  });

  it.each(['', '/', '/a', '..', '../a', 'a/..', 'a/../b', './../a', 'a\0b', 'n'.repeat(256)])('%p is refused', (name) => {
    expect(() => at(name)).toThrow(expect.objectContaining({ code: 'bad_archive' }) as Error);
  });

  it('is told by the record of the raw bytes where there is one, which may climb no more than a name', () => {
    const record = (path: string): Record<string, string> => ({ 'REPRISE.path': Buffer.from(path, 'latin1').toString('base64') });
    expect(at('a\uFFFD', record('a\xff'))).toEqual(['a\xff']);
    expect(() => at('fine', record('../a'))).toThrow('climbs');
    expect(() => at('fine', record(''))).toThrow('no name');
  });

  it('of a hard link is below the workspace too', () => {
    expect(() => linkSegmentsOf({ name: 'a', linkname: '/etc/passwd' })).toThrow('absolute');
    expect(() => linkSegmentsOf({ name: 'a', linkname: './' })).toThrow('workspace itself');
    expect(() => linkSegmentsOf({ name: 'a', linkname: null })).toThrow('without a target');
  });
});

describe('the time of an entry', () => {
  it.each([
    ['1700000000.123456789', 1_700_000_000_123_456n],
    ['1700000000', 1_700_000_000_000_000n],
    ['0.5', 500_000n],
    ['-1.5', -1_500_000n],
    ['-0.0000001', -1n],
    ['9999999999.9', 9_999_999_999_900_000n],
  ])('%p is %p microseconds', (mtime, micros) => {
    expect(mtimeOf({ name: 'a', pax: { mtime } })).toBe(micros);
  });

  it("is the header's where the record is none", () => {
    expect(mtimeOf({ name: 'a', pax: { mtime: 'yesterday' }, mtime: new Date(5_000) })).toBe(5_000_000n);
    expect(mtimeOf({ name: 'a' })).toBe(0n);
  });
});
