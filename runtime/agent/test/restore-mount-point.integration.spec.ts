import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningAgent, bundleAgent, testDirectory } from './testing/running-agent';
import { describeTree, plantEverything } from './testing/trees';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65534;
const directory = testDirectory();
const bundle = bundleAgent(directory);
const mounts: string[] = [];
let count = 0;

const newDirectory = (): string => {
  const parent = join(directory, `pod-${++count}`);
  mkdirSync(join(parent, 'workspace'), { recursive: true });
  // The agent writes its address beside its workspace.
  chownSync(parent, NOBODY, NOBODY);
  return join(parent, 'workspace');
};
/** A workspace that is the root of a file system, as a volume is. */
function newVolume({ uid = NOBODY, mode = 0o700 } = {}): string {
  const workspace = newDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', workspace]);
  mounts.push(workspace);
  chownSync(workspace, uid, NOBODY);
  chmodSync(workspace, mode);
  return workspace;
}

async function snapshotOfEverything(): Promise<{ tree: Record<string, object>; tar: Buffer; sha256: string }> {
  const workspace = newDirectory();
  plantEverything(workspace);
  execFileSync('chown', ['-hR', `${NOBODY}:${NOBODY}`, workspace]);
  const agent = await RunningAgent.start(bundle, workspace, { uid: NOBODY });
  await agent.ready();
  await agent.quiesce();
  // Who is not root must move what is in this one, too.
  chmodSync(workspace, 0o555);
  const { tar, sha256 } = await agent.snapshot();
  return { tree: describeTree(workspace), tar, sha256 };
}

afterEach(async () => {
  await RunningAgent.stopAll();
  for (const mount of mounts.splice(0)) execFileSync('umount', ['-l', mount]);
});
afterAll(() => execFileSync('rm', ['-rf', directory]));

(isRoot ? describe : describe.skip)('a workspace that is a mount point (needs root: mounts a tmpfs)', () => {
  it.each([
    ['root', undefined],
    ['someone without root', NOBODY],
  ])('is restored by %s, again and again, mode for mode', async (_who, uid) => {
    const { tree, tar, sha256 } = await snapshotOfEverything();
    const workspace = newVolume();
    writeFileSync(join(workspace, 'older'), 'x');
    const agent = await RunningAgent.start(bundle, workspace, { uid });
    for (let round = 0; round < 3; round++) {
      expect(await agent.restore(tar, sha256)).toMatchObject({ status: 200, json: { sha256 } });
      expect(describeTree(workspace)).toEqual(tree);
    }
  });

  it("keeps its own mode where it is another user's, and holds all the rest", async () => {
    const { tree, tar, sha256 } = await snapshotOfEverything();
    const workspace = newVolume({ uid: 0, mode: 0o2777 });
    const agent = await RunningAgent.start(bundle, workspace, { uid: NOBODY });
    expect(await agent.restore(tar, sha256)).toMatchObject({ status: 200 });
    expect(lstatSync(workspace).mode & 0o7777).toBe(0o2777);
    expect(withoutItself(describeTree(workspace))).toEqual(withoutItself(tree));
  });

  it('is as it was where something in it cannot be moved away', async () => {
    const { tar, sha256 } = await snapshotOfEverything();
    const workspace = newVolume();
    for (const name of ['first', 'pinned', 'zz-last']) mkdirSync(join(workspace, name));
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(workspace, 'pinned')]);
    mounts.unshift(join(workspace, 'pinned'));
    const agent = await RunningAgent.start(bundle, workspace);
    const before = describeTree(workspace);
    expect(await agent.restore(tar, sha256)).toMatchObject({ status: 500 });
    expect(describeTree(workspace)).toEqual(before);
  });
});

describe('what a restore works in', () => {
  it('is no part of a snapshot', async () => {
    const workspace = newDirectory();
    const agent = await RunningAgent.start(bundle, workspace);
    await agent.ready();
    writeFileSync(join(workspace, 'mine'), 'mine');
    mkdirSync(join(workspace, 'below', '.reprise-restore'), { recursive: true });
    await agent.quiesce();
    const without = await agent.snapshot();
    const { mtime } = lstatSync(workspace);
    mkdirSync(join(workspace, '.reprise-restore'));
    execFileSync('touch', ['-d', mtime.toISOString(), workspace]);
    const { tar, sha256, entries } = await agent.snapshot();
    expect(entries).toBe(without.entries);
    const other = newDirectory();
    const next = await RunningAgent.start(bundle, other, { generation: 2 });
    expect(await next.restore(tar, sha256)).toMatchObject({ status: 200 });
    expect(readdirSync(other).sort()).toEqual(['.reprise', 'below', 'mine']);
    expect(readdirSync(join(other, 'below'))).toEqual(['.reprise-restore']);
  });
});

function withoutItself(tree: Record<string, object>): object {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => path !== ''));
}
