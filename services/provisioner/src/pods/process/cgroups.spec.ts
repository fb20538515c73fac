import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupIn, killCgroup, processesIn, removeCgroup } from './cgroups';

const UNIFIED = '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const HYBRID = '57 47 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';
const IN_CONTAINER = '700 690 0:26 /docker/a\\040b /sys/fs/cgroup ro,relatime - cgroup2 cgroup rw';

describe('the own cgroup', () => {
  it.each([
    ['of a machine with version 2 alone', UNIFIED, '0::/user.slice/session.scope\n', '/sys/fs/cgroup/user.slice/session.scope'],
    ['of a machine with both', `1 1 0:1 / / rw - ext4 x rw\n${HYBRID}`, '4:memory:/a\n0::/x\n', '/sys/fs/cgroup/unified/x'],
    ['of a container that sees its own alone', IN_CONTAINER, '0::/docker/a b/init\n', '/sys/fs/cgroup/init'],
    ['of one at the top', UNIFIED, '0::/\n', '/sys/fs/cgroup'],
    ['of a machine without version 2', '1 1 0:1 / / rw - ext4 x rw', '0::/x\n', null],
    ['of a machine with version 1 alone', UNIFIED, '4:memory:/a\n', null],
    ['that is outside of what is mounted', IN_CONTAINER, '0::/elsewhere\n', null],
  ])('%s', (_what, mountInfo, cgroups, expected) => {
    expect(cgroupIn(mountInfo, cgroups)).toBe(expected);
  });
});

describe('a cgroup, with a directory in its place', () => {
  const root = mkdtempSync(join(tmpdir(), 'reprise-cgroup-'));
  const cgroup = join(root, 'pod');
  beforeEach(() => mkdirSync(join(cgroup, 'below'), { recursive: true }));
  afterEach(() => rmSync(cgroup, { recursive: true, force: true }));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('lists its processes and those below, and none once it is gone', async () => {
    writeFileSync(join(cgroup, 'cgroup.procs'), '11\n12\n');
    writeFileSync(join(cgroup, 'below', 'cgroup.procs'), '13\n');
    expect((await processesIn(cgroup)).sort()).toEqual([11, 12, 13]);
    expect(await processesIn(join(root, 'gone'))).toEqual([]);
  });

  it('is ended by the kernel where it can, and frozen otherwise; no file is made', async () => {
    writeFileSync(join(cgroup, 'cgroup.freeze'), '0');
    expect(await killCgroup(cgroup)).toBe(false);
    expect(readFileSync(join(cgroup, 'cgroup.freeze'), 'utf8')).toBe('1');
    writeFileSync(join(cgroup, 'cgroup.kill'), '0');
    expect(await killCgroup(cgroup)).toBe(true);
    expect(readFileSync(join(cgroup, 'cgroup.kill'), 'utf8')).toBe('1');
    expect(await killCgroup(join(root, 'gone'))).toBe(false);
  });

  it('is removed with those below it', async () => {
    await removeCgroup(cgroup);
    expect(await processesIn(cgroup)).toEqual([]);
    await removeCgroup(cgroup);
  });
});
