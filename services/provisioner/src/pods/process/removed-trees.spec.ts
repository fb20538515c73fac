import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/testing/until';
import { RemovedTrees } from './removed-trees';

const NEVER = 3_600_000;
const AT_ONCE = 0;

describe('trees that are removed', () => {
  const root = mkdtempSync(join(tmpdir(), 'reprise-removed-'));
  const folder = join(root, '.removed');
  const failures: NodeJS.ErrnoException[] = [];
  const trees = (deletedAfterMs: number): RemovedTrees => new RemovedTrees(folder, (reason) => failures.push(reason), deletedAfterMs);
  const left = (): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  const newTree = (name: string, within = root): string => {
    const path = join(within, name);
    mkdirSync(join(path, 'deep'), { recursive: true });
    writeFileSync(join(path, 'deep/file'), 'text');
    return path;
  };

  beforeEach(() => {
    rmSync(folder, { recursive: true, force: true });
    failures.length = 0;
  });
  afterEach(() => expect(failures).toEqual([]));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('are out of the way at once, and deleted later', async () => {
    const tree = newTree('1');
    await trees(NEVER).remove(tree);
    expect(existsSync(tree)).toBe(false);
    expect(left()).toHaveLength(1);
    expect(existsSync(join(folder, left()[0] ?? '', 'deep/file'))).toBe(true);
    expect(statSync(folder).mode & 0o777).toBe(0o700);

    await trees(AT_ONCE).remove(newTree('1'));
    await until(() => left().length === 0);
  });

  it('are nothing where there was nothing', async () => {
    await trees(NEVER).remove(join(root, 'never'));
    expect(left()).toEqual([]);
  });

  it('are deleted by the next process where one was killed before', async () => {
    newTree('ws_1.1.left', folder);
    trees(AT_ONCE).deleteSoon();
    await until(() => left().length === 0);
  });

  it('are deleted, too, when they come while others are', async () => {
    const removed = trees(AT_ONCE);
    for (let n = 0; n < 20; n += 1) await removed.remove(newTree(String(n)));
    await until(() => left().length === 0);
  });

  it('are waited for when too many are left', async () => {
    const removed = trees(NEVER);
    for (let n = 1; n < 100; n += 1) await removed.remove(newTree(String(n)));
    expect(left()).toHaveLength(99);
    await removed.remove(newTree('100'));
    expect(left()).toEqual([]);
  });

  const elsewhere = '/dev/shm';
  const hasElsewhere = existsSync(elsewhere) && statSync(elsewhere).dev !== statSync(root).dev;
  it('are deleted at any depth, also where paths get longer than the kernel takes', async () => {
    // In memory where there is such a file system: 5,000 directories are made and removed at the speed of a busy disk otherwise.
    const place = mkdtempSync(join(hasElsewhere ? elsewhere : root, 'reprise-removed-'));
    const script = `const fs = require('node:fs');
      for (let n = 0; n < 5000; n += 1) { fs.mkdirSync('level-of-a-deep-tree'); process.chdir('level-of-a-deep-tree'); }
      fs.writeFileSync('file', ''); fs.symlinkSync('/etc/hostname', 'link'); fs.chmodSync('.', 0o500);`;
    execFileSync(process.execPath, ['-e', script], { cwd: newTree('1', place) });
    const removed = new RemovedTrees(join(place, '.removed'), (reason) => failures.push(reason), AT_ONCE);
    await removed.remove(join(place, '1'));
    await until(() => readdirSync(join(place, '.removed')).length === 0, 600_000);
    expect(existsSync('/etc/hostname')).toBe(true);
    rmSync(place, { recursive: true });
  }, 600_000);

  (hasElsewhere ? it : it.skip)('are deleted at once where they are of another file system', async () => {
    const other = mkdtempSync(join(elsewhere, 'reprise-removed-'));
    const tree = newTree('1', other);
    await trees(NEVER).remove(tree);
    expect(existsSync(tree)).toBe(false);
    expect(left()).toEqual([]);
    rmSync(other, { recursive: true });
  });

  (process.geteuid?.() === 0 ? it : it.skip)(
    'hold up no others when one cannot be deleted, and it is tried again (needs root: mounts)',
    async () => {
      const mount = join(newTree('a', folder), 'mount');
      mkdirSync(mount);
      newTree('b', folder);
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', mount]);
      try {
        trees(AT_ONCE).deleteSoon();
        await until(() => left().join() === 'a' && failures.length > 0);
        expect(failures.splice(0).map(({ code }) => code)).toEqual(['EBUSY']);
      } finally {
        execFileSync('umount', [mount]);
      }
      trees(AT_ONCE).deleteSoon();
      await until(() => left().length === 0);
    },
  );
});
