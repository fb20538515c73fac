import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Cursor } from '../src/files/cursor';
import { Directory } from '../src/files/directory';
import { walk } from '../src/snapshot/walk';
import { RunningAgent, bundleAgent, testDirectory } from './testing/running-agent';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;
const directory = testDirectory();
const bundle = bundleAgent(directory);
let count = 0;

const newWorkspace = (uid?: number): string => {
  const workspace = join(directory, `pod-${++count}`, 'workspace');
  mkdirSync(workspace, { recursive: true });
  if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${uid}`, join(workspace, '..')]);
  return workspace;
};

/** Makes directories of this name, one in the other, however deep. */
function deepTree(workspace: string, name: string, levels: number): void {
  const root = Directory.open(workspace);
  const cursor = new Cursor(root);
  for (let level = 0; level < levels; level++) {
    mkdirSync(cursor.here.at(name));
    cursor.enter(name);
  }
  writeFileSync(cursor.here.at('end'), 'far down');
  cursor.close();
  root.close();
}

/** The tree without what the agents themselves write; by the walk, since a path may be too long for anything else. */
function treeIn(workspace: string): string[] {
  const root = Directory.open(workspace);
  const found = [...walk(root)].map(
    ({ path, type, stat }) => `${type} ${Number(stat.mode).toString(8)} ${type === 'file' ? stat.size : ''} ${path}`,
  );
  root.close();
  return found.filter((line) => !line.includes('.reprise/')).filter((line) => !line.endsWith(' .reprise'));
}

/** Takes a workspace through what a restart does with it, and answers the pod that goes on with it. */
async function restarted(
  plant: (workspace: string) => void,
  uid?: number,
): Promise<{ agent: RunningAgent; before: string; after: string }> {
  const [before, after] = [newWorkspace(uid), newWorkspace(uid)];
  const old = await RunningAgent.start(bundle, before, { uid });
  expect((await old.ready()).status).toBe(200);
  plant(before);
  if (uid !== undefined) execFileSync('chown', ['-hR', `${uid}:${uid}`, before]);
  expect((await old.quiesce()).status).toBe(200);
  const { tar, sha256 } = await old.snapshot();
  const agent = await RunningAgent.start(bundle, after, { uid, generation: 2 });
  expect(await agent.restore(tar, sha256)).toMatchObject({ status: 200 });
  expect(treeIn(after)).toEqual(treeIn(before));
  return { agent, before, after };
}

afterEach(() => RunningAgent.stopAll());
afterAll(() => execFileSync('rm', ['-rf', directory]));

const users: [who: string, uid: number | undefined][] = isRoot
  ? [
      ['an agent that is root', undefined],
      ['an agent that is not root', NOBODY],
    ]
  : [['an agent that is not root', undefined]];

describe.each(users)('with %s, a pod goes on from the snapshot of a workspace', (_who, uid) => {
  const plants: [what: string, plant: (workspace: string) => void][] = [
    ['with a path of 4,085 bytes', (workspace) => deepTree(workspace, 'n'.repeat(203), 20)],
    ['with 1,930 directories one in the other', (workspace) => deepTree(workspace, 'd', 1_930)],
    ['in which nothing may be written', (workspace) => execFileSync('chmod', ['-R', 'a-w', workspace])],
    ['with no rights at all', (workspace) => chmodSync(workspace, 0)],
    ['whose own files have no rights', (workspace) => execFileSync('sh', ['-c', 'chmod 0 .reprise/* .reprise'], { cwd: workspace })],
    [
      'with a file in the place of .reprise',
      (workspace) => {
        rmSync(join(workspace, '.reprise'), { recursive: true });
        writeFileSync(join(workspace, '.reprise'), 'kept');
      },
    ],
    [
      'with a dangling link in the place of .reprise',
      (workspace) => {
        renameSync(join(workspace, '.reprise'), join(workspace, 'elsewhere'));
        symlinkSync('no/such/thing', join(workspace, '.reprise'));
      },
    ],
    [
      'with a directory in the place of the conversation, and of the reports',
      (workspace) => {
        rmSync(join(workspace, '.reprise/conversation.ndjson'));
        mkdirSync(join(workspace, '.reprise/conversation.ndjson/inside'), { recursive: true });
        mkdirSync(join(workspace, '.reprise/reports.json.new/inside'), { recursive: true });
        mkdirSync(join(workspace, '.reprise/reports.json'));
      },
    ],
  ];

  it.each(plants)('%s', async (_what, plant) => {
    const { agent, after } = await restarted(plant, uid);
    expect(await agent.ready()).toMatchObject({ status: 200, json: { status: 'ready' } });
    expect(await agent.run('echo works > written; cat written')).toMatchObject({ status: 'completed', output: 'works\n' });
    expect(await agent.quiesce()).toMatchObject({ status: 200 });
    expect((await agent.snapshot()).entries).toBeGreaterThan(1);
    expect(existsSync(join(after, 'written'))).toBe(true);
  });
});

describe('what stands in the way of the agent’s files', () => {
  it('is moved aside, and the conversation says so', async () => {
    const { agent, after } = await restarted((workspace) => {
      rmSync(join(workspace, '.reprise'), { recursive: true });
      writeFileSync(join(workspace, '.reprise'), 'kept');
    });
    await agent.ready();
    expect(readFileSync(join(after, '.reprise.moved-1'), 'utf8')).toBe('kept');
    expect(await agent.history()).toMatchObject([
      { type: 'pod.started' },
      { type: 'file.moved', path: '.reprise', to: '.reprise.moved-1' },
    ]);
  });

  it('while a task runs does not keep its end from being recorded', async () => {
    const agent = await RunningAgent.start(bundle, newWorkspace());
    await agent.ready();
    // The agent may have made its directory anew before the link is there: a link into that would stand in nobody's way.
    const script = 'mv .reprise mine; until ln -sT mine .reprise 2>&-; do rm -r .reprise; done; echo done';
    expect(await agent.run(script)).toMatchObject({ output: 'done\n' });
    expect(readdirSync(agent.workspace).sort()).toEqual(['.reprise', '.reprise.moved-1', 'mine']);
    expect(lstatSync(join(agent.workspace, '.reprise')).isDirectory()).toBe(true);
  });
});

describe('an agent follows no link that a task has left', () => {
  const secret = join(directory, 'secret');
  const outside = join(directory, 'outside');
  const isUntouched = (): void => {
    expect(readFileSync(secret, 'utf8')).toBe('{"secret":true}\n');
    expect(readdirSync(outside)).toEqual([]);
  };
  beforeEach(() => {
    writeFileSync(secret, '{"secret":true}\n');
    rmSync(outside, { recursive: true, force: true });
    mkdirSync(outside);
  });

  it.each<[string, (workspace: string) => void]>([
    ['in the place of .reprise', (workspace) => symlinkSync(outside, join(workspace, '.reprise'))],
    ['in the place of the conversation', (workspace) => symlinkSync(secret, join(own(workspace), 'conversation.ndjson'))],
    ['in the place of the reports', (workspace) => symlinkSync(secret, join(own(workspace), 'reports.json'))],
    ['in the place of the new reports', (workspace) => symlinkSync(secret, join(own(workspace), 'reports.json.new'))],
    ['to the file itself, by a second name', (workspace) => linkSync(secret, join(own(workspace), 'conversation.ndjson'))],
    ['in the place of what a restore works in', (workspace) => symlinkSync(outside, join(workspace, '.reprise-restore'))],
  ])('%s', async (_where, plant) => {
    const workspace = newWorkspace();
    plant(workspace);
    const agent = await RunningAgent.start(bundle, workspace);
    await agent.ready();
    await agent.run('echo hello');
    await agent.quiesce();
    const { tar, sha256 } = await agent.snapshot();
    isUntouched();
    const next = newWorkspace();
    plant(next);
    const restored = await RunningAgent.start(bundle, next);
    expect((await restored.restore(tar, sha256)).status).toBe(200);
    await restored.ready();
    await restored.run('echo hello');
    isUntouched();
  });

  it('when it is asked for the conversation', async () => {
    const workspace = newWorkspace();
    symlinkSync(secret, join(own(workspace), 'conversation.ndjson'));
    const agent = await RunningAgent.start(bundle, workspace);
    expect(await agent.history()).toEqual([]);
  });

  it('when the workspace itself is moved and a link put in its place', async () => {
    const workspace = newWorkspace();
    const agent = await RunningAgent.start(bundle, workspace);
    await agent.ready();
    await agent.run(`echo mine > mine; mv ${workspace} ${workspace}.moved; ln -s ${outside} ${workspace}`);
    await agent.quiesce();
    expect((await agent.snapshot()).tar.includes('mine')).toBe(true);
    isUntouched();
  });

  const own = (workspace: string): string => {
    const path = join(workspace, '.reprise');
    mkdirSync(path);
    return path;
  };
});

describe('a workspace that is too large is refused before anything is read', () => {
  const asked = async (query: string, plant: (workspace: string) => void): Promise<unknown> => {
    const agent = await RunningAgent.start(bundle, newWorkspace());
    await agent.ready();
    plant(agent.workspace);
    await agent.quiesce();
    const { status, json } = await agent.send('GET', `/v1/snapshot${query}`);
    expect(await agent.ready()).toMatchObject({ status: 200, json: { status: 'ready' } });
    return { status, code: json.error.code, details: json.error.details };
  };
  const refusal = (limit: string, allowed: number): object => ({ status: 413, code: 'snapshot_too_large', details: { limit, allowed } });

  it('by its entries', async () => {
    expect(await asked('?max_entries=3', (workspace) => writeFileSync(join(workspace, 'a'), ''))).toEqual(refusal('entries', 3));
  });

  it('by the size of its files, of which nothing need be there', async () => {
    const plant = (workspace: string): void => {
      writeFileSync(join(workspace, 'nothing'), '');
      truncateSync(join(workspace, 'nothing'), 2 ** 40);
    };
    expect(await asked('?max_bytes=1000000', plant)).toEqual(refusal('bytes', 1_000_000));
  });

  it('by its depth', async () => {
    expect(await asked('?max_depth=4', (workspace) => deepTree(workspace, 'd', 4))).toEqual(refusal('depth', 4));
  });

  it('by a path that is longer than any that Linux opens, whatever the limits are', async () => {
    expect(await asked('', (workspace) => deepTree(workspace, 'n'.repeat(250), 40))).toEqual(refusal('path_bytes', 4_095));
  });
});
