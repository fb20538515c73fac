import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { tarOf } from '../../test/testing/tars';
import { TarInspector } from './tar-inspector';

type Entries = [header: object, content?: string][];
const LIMITS = { entries: 10, bytes: 1_000, depth: 5 };

async function inspected(entries: Entries): Promise<number> {
  const inspector = new TarInspector(LIMITS);
  await pipeline(Readable.from([await tarOf(...entries)]), inspector);
  return inspector.entries;
}

const root = { name: './', type: 'directory' };

it('a tar in the order of the contract has nothing that a restore would refuse', async () => {
  const entries: Entries = [
    [root],
    [{ name: 'a/', type: 'directory' }],
    [{ name: 'a/b' }, 'x'],
    [{ name: 'a/c', type: 'link', linkname: 'a/b' }],
    [{ name: 'a-b' }, 'x'],
    [{ name: 'd/e/f' }, 'x'],
    [{ name: 'd/g', type: 'symlink', linkname: '../../anywhere' }],
    [{ name: 'e', type: 'link', linkname: 'd/e/f' }],
  ];
  expect(await inspected(entries)).toBe(8);
});

it.each<[string, Entries]>([
  [
    'an entry that comes twice',
    [
      [{ name: 'a' }, 'x'],
      [{ name: 'a' }, 'x'],
    ],
  ],
  [
    'an entry that comes twice, with others between',
    [
      [{ name: 'a' }, 'x'],
      [{ name: 'b' }, 'x'],
      [{ name: 'a' }, 'x'],
    ],
  ],
  [
    'an entry below a file',
    [
      [{ name: 'a' }, 'x'],
      [{ name: 'a/b' }, 'x'],
    ],
  ],
  ['an entry below a symlink', [[{ name: 'a', type: 'symlink', linkname: '.' }], [{ name: 'a/b' }, 'x']]],
  ['a directory after what is in it', [[{ name: 'a/b' }, 'x'], [{ name: 'a/', type: 'directory' }]]],
  ['a hard link to nothing', [[{ name: 'a' }, 'x'], [{ name: 'b', type: 'link', linkname: 'c' }]]],
  ['a hard link to a symlink', [[{ name: 'a', type: 'symlink', linkname: 'c' }], [{ name: 'b', type: 'link', linkname: 'a' }]]],
  ['a hard link to what comes later', [[{ name: 'a', type: 'link', linkname: 'b' }], [{ name: 'b' }, 'x']]],
  ['the name that restores work in', [[{ name: '.reprise-restore/a' }, 'x']]],
  ['a name of 256 bytes', [[{ name: 'n'.repeat(256) }, 'x']]],
  ['a file in the place of the workspace', [[{ name: './' }, 'x']]],
])('a tar with %s is refused', async (_what, entries) => {
  await expect(inspected(entries)).rejects.toMatchObject({ reason: 'corrupt' });
});

it.each<[string, Entries]>([
  ['entries', Array.from({ length: 11 }, (_, at) => [{ name: `f${String(at).padStart(2, '0')}` }, ''])],
  [
    'bytes',
    [
      [{ name: 'a' }, 'x'.repeat(600)],
      [{ name: 'b' }, 'x'.repeat(600)],
    ],
  ],
  ['depth', [[{ name: 'a/b/c/d/e/f' }, 'x']]],
])('a tar beyond the limit of %s is too large', async (limit, entries) => {
  await expect(inspected(entries)).rejects.toMatchObject({
    reason: 'too_large',
    message: expect.stringContaining(`limit of ${limit} is`) as string,
  });
});

it('a path of more than 4,095 bytes is too large whatever the limits are', async () => {
  const inspector = new TarInspector({ ...LIMITS, depth: 100 });
  const tar = await tarOf([{ name: `${'n'.repeat(203)}/`.repeat(20).concat('n'.repeat(16)) }, 'x']);
  await expect(pipeline(Readable.from([tar]), inspector)).rejects.toMatchObject({ reason: 'too_large' });
});
