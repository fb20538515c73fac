import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { RunningAgent, bundleAgent, testDirectory, until } from './testing/running-agent';
import { describeTree, plantEverything } from './testing/trees';

const isRoot = process.geteuid?.() === 0;
const directory = testDirectory();
const bundle = bundleAgent(directory);
let count = 0;

const newWorkspace = (): string => {
  const workspace = join(directory, `pod-${++count}`, 'workspace');
  mkdirSync(workspace, { recursive: true });
  return workspace;
};

async function quiesced(workspace: string, uid?: number): Promise<RunningAgent> {
  const agent = await RunningAgent.start(bundle, workspace, { uid });
  await agent.ready();
  await agent.quiesce();
  return agent;
}

afterEach(() => RunningAgent.stopAll());
afterAll(() => execFileSync('rm', ['-rf', directory]));

describe('a snapshot that is restored', () => {
  it('brings back every kind of file, byte for byte and mode for mode', async () => {
    const [before, after] = [newWorkspace(), newWorkspace()];
    plantEverything(before);
    const { tar, sha256, entries } = await (await quiesced(before)).snapshot();
    const restored = await (await RunningAgent.start(bundle, after, { generation: 2 })).restore(tar, sha256);
    expect(restored).toMatchObject({ status: 200, json: { entries, bytes: tar.length } });
    expect(describeTree(after)).toEqual(describeTree(before));
    expect(entries).toBe(Object.keys(describeTree(before)).length);
  });

  it('is the same after five rounds: times do not creep', async () => {
    let workspace = newWorkspace();
    plantEverything(workspace);
    const first = await (await quiesced(workspace)).snapshot();
    let last = first;
    for (let round = 0; round < 5; round++) {
      const next = newWorkspace();
      const agent = await RunningAgent.start(bundle, next);
      await agent.restore(last.tar, last.sha256);
      // What the conversation's new line adds is not what is looked at.
      const description = describeTree(next);
      await agent.ready();
      await agent.quiesce();
      last = await agent.snapshot();
      if (round > 0) expect(withoutConversation(description)).toEqual(withoutConversation(describeTree(workspace)));
      workspace = next;
    }
  });

  (isRoot ? it : it.skip)('brings back what an agent without root may not read by its modes', async () => {
    const [before, after] = [newWorkspace(), newWorkspace()];
    plantEverything(before);
    execFileSync('chown', ['-hR', '65534:65534', join(before, '..'), join(after, '..')]);
    // A change of owner takes these away.
    chmodSync(join(before, 'setuid'), 0o4755);
    chmodSync(join(before, 'setgid'), 0o2755);
    const { tar, sha256 } = await (await quiesced(before, 65534)).snapshot();
    const { status } = await (await RunningAgent.start(bundle, after, { uid: 65534 })).restore(tar, sha256);
    expect(status).toBe(200);
    expect(describeTree(after)).toEqual(describeTree(before));
    expect(lstatSync(join(before, 'closed')).mode & 0o7777).toBe(0);
  });

  (isRoot ? it : it.skip)('brings back owners where the agent is root', async () => {
    const [before, after] = [newWorkspace(), newWorkspace()];
    writeFileSync(join(before, 'theirs'), 'x');
    chownSync(join(before, 'theirs'), 4_000_000, 5_000_000);
    chmodSync(join(before, 'theirs'), 0o4711);
    const { tar, sha256 } = await (await quiesced(before)).snapshot();
    await (await RunningAgent.start(bundle, after)).restore(tar, sha256);
    expect(lstatSync(join(after, 'theirs'))).toMatchObject({ uid: 4_000_000, gid: 5_000_000 });
    expect(lstatSync(join(after, 'theirs')).mode & 0o7777).toBe(0o4711);
  });

  it('leaves the holes of a sparse file', async () => {
    const [before, after] = [newWorkspace(), newWorkspace()];
    writeFileSync(join(before, 'sparse'), 'begins');
    truncateSync(join(before, 'sparse'), 30_000_000);
    const { tar, sha256 } = await (await quiesced(before)).snapshot();
    await (await RunningAgent.start(bundle, after)).restore(tar, sha256);
    expect(lstatSync(join(after, 'sparse')).size).toBe(30_000_000);
    expect(lstatSync(join(after, 'sparse')).blocks * 512).toBeLessThan(1_000_000);
  });
});

describe('a snapshot', () => {
  it('can be read by any other tar', async () => {
    const workspace = newWorkspace();
    plantEverything(workspace);
    const { tar, entries } = await (await quiesced(workspace)).snapshot();
    const names = execFileSync('tar', ['-t', '--quoting-style=escape'], { input: tar, maxBuffer: 1e8 }).toString();
    expect(names.trim().split('\n')).toHaveLength(entries);
    expect(names).toContain('line\\nbreak = and');
  });

  it('is the same for the same tree', async () => {
    const workspace = newWorkspace();
    plantEverything(workspace);
    const agent = await quiesced(workspace);
    expect((await agent.snapshot()).sha256).toBe((await agent.snapshot()).sha256);
  });

  it('leaves out sockets and fifos and says how many', async () => {
    const workspace = newWorkspace();
    execFileSync('mkfifo', [join(workspace, 'fifo')]);
    const server = createServer().listen(join(workspace, 'socket'));
    await until(() => server.listening);
    const { skipped, tar } = await (await quiesced(workspace)).snapshot();
    server.close();
    expect(skipped).toBe(2);
    expect(execFileSync('tar', ['-t'], { input: tar }).toString()).not.toMatch(/fifo|socket/);
  });

  it('is refused unless the pod is quiesced', async () => {
    const agent = await RunningAgent.start(bundle, newWorkspace());
    expect(await agent.send('GET', '/v1/snapshot')).toMatchObject({ status: 409, json: { error: { code: 'not_quiesced' } } });
    await agent.ready();
    expect(await agent.send('GET', '/v1/snapshot')).toMatchObject({ status: 409, json: { error: { code: 'not_quiesced' } } });
  });

  it('breaks off without a digest when work is resumed in the middle', async () => {
    const workspace = newWorkspace();
    for (let i = 0; i < 20; i++) writeFileSync(join(workspace, `file-${i}`), Buffer.alloc(10_000_000, i));
    const agent = await quiesced(workspace);
    const snapshot = agent.snapshot();
    const resumed = agent.ready();
    await expect(snapshot).rejects.toThrow();
    expect(await resumed).toMatchObject({ status: 200, json: { status: 'ready' } });
  });

  it('breaks off when a file changes while it is read', async () => {
    const workspace = newWorkspace();
    for (let i = 0; i < 10; i++) writeFileSync(join(workspace, `file-${i}`), Buffer.alloc(20_000_000, i));
    const agent = await quiesced(workspace);
    let going = true;
    // Not through a task: those are at rest. Something outside that writes all the same.
    const writing = (async () => {
      for (let size = 20_000_000; going; size++) {
        truncateSync(join(workspace, 'file-9'), size);
        await new Promise(setImmediate);
      }
    })();
    await expect(agent.snapshot()).rejects.toThrow();
    going = false;
    await writing;
    expect(await agent.send('GET', '/health')).toMatchObject({ json: { status: 'quiesced' } });
    expect((await agent.snapshot()).entries).toBeGreaterThan(10);
  });

  it('needs memory that does not grow with the workspace', async () => {
    const workspace = newWorkspace();
    for (let i = 0; i < 4; i++) truncateSync(touch(join(workspace, `file-${i}`)), 100_000_000);
    const agent = await quiesced(workspace);
    await agent.snapshot();
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${agent.child.pid}/status`, 'utf8'))?.[1]);
    expect(peak).toBeLessThan(200_000);
  });

  it('leaves nothing open and nothing behind when its receiver goes away', async () => {
    const workspace = newWorkspace();
    truncateSync(touch(join(workspace, 'file')), 500_000_000);
    const agent = await quiesced(workspace);
    const open = (): number => readdirSync(`/proc/${agent.child.pid}/fd`).length;
    const before = open();
    for (let i = 0; i < 5; i++)
      execFileSync('sh', [
        '-c',
        `curl -s -H 'Authorization: Bearer pod.ws_test.1.secret' ${agent.url}/v1/snapshot | head -c 100000 >/dev/null`,
      ]);
    await until(() => open() <= before);
  });
});

function touch(path: string): string {
  writeFileSync(path, '');
  return path;
}

function withoutConversation(tree: Record<string, object>): object {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !path.startsWith('.reprise')));
}
