import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { microsOf, setMtime } from './set-mtime';

describe('a time of change that is set', () => {
  const folder = mkdtempSync(join(tmpdir(), 'set-mtime-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([0n, 1n, 999_999n, 1_700_000_000_123_457n, -1n, -999_999n, -1_000_000n, -86_400_500_000n, -1_000_000_000_123_457n])(
    'is read as the same microsecond on every Node: %d',
    (micros) => {
      const file = Buffer.from(join(folder, 'file'));
      writeFileSync(file, '');
      setMtime(file, micros);
      const { mtimeNs } = lstatSync(file, { bigint: true });
      expect(microsOf(mtimeNs)).toBe(micros);
    },
  );
});
