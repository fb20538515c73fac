import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pack } from 'tar-stream';
import { RunningAgent, bundleAgent, testDirectory } from './testing/running-agent';
import { describeTree } from './testing/trees';

const directory = testDirectory();
const bundle = bundleAgent(directory);
const isRoot = process.geteuid?.() === 0;
let count = 0;

const newWorkspace = (): string => {
  const workspace = join(directory, `pod-${++count}`, 'workspace');
  mkdirSync(workspace, { recursive: true });
  return workspace;
};
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function tarOf(...entries: [header: object, content?: string][]): Promise<Buffer> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header as never, content ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

afterEach(() => RunningAgent.stopAll());
afterAll(() => execFileSync('rm', ['-rf', directory]));

describe('a restore refuses an archive, writes nothing outside and leaves the workspace as it was', () => {
  const outside = join(directory, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'untouched');
  const archives: Record<string, [header: object, content?: string][]> = {
    'with an absolute path': [[{ name: join(outside, 'evil') }, 'x']],
    'that climbs': [[{ name: '../../outside/evil' }, 'x']],
    'that climbs in the middle': [[{ name: 'a/../../../outside/evil' }, 'x']],
    'that climbs by a record of ours': [[{ name: 'a', pax: { 'REPRISE.path': Buffer.from('../evil').toString('base64') } }, 'x']],
    'that writes through a symlink it made': [[{ name: 'way', type: 'symlink', linkname: outside }], [{ name: 'way/evil' }, 'x']],
    'that writes over a symlink it made': [[{ name: 'way', type: 'symlink', linkname: join(outside, 'secret') }], [{ name: 'way' }, 'x']],
    'that makes a directory of a symlink it made': [
      [{ name: 'way', type: 'symlink', linkname: outside }],
      [{ name: 'way', type: 'directory' }],
      [{ name: 'way/evil' }, 'x'],
    ],
    'with a hard link to the outside': [[{ name: 'evil', type: 'link', linkname: join(outside, 'secret') }]],
    'with a hard link that climbs': [[{ name: 'evil', type: 'link', linkname: '../../outside/secret' }]],
    'with a hard link through a symlink': [
      [{ name: 'way', type: 'symlink', linkname: outside }],
      [{ name: 'evil', type: 'link', linkname: 'way/secret' }],
    ],
    'with a hard link to a symlink': [
      [{ name: 'way', type: 'symlink', linkname: join(outside, 'secret') }],
      [{ name: 'evil', type: 'link', linkname: 'way' }],
    ],
    'with a device': [[{ name: 'evil', type: 'block-device', devmajor: 8, devminor: 0 }]],
    'with a fifo': [[{ name: 'evil', type: 'fifo' }]],
    'with the same name twice': [
      [{ name: 'a' }, 'x'],
      [{ name: 'a' }, 'y'],
    ],
    'with a file for a directory': [
      [{ name: 'a' }, 'x'],
      [{ name: 'a/b' }, 'y'],
    ],
    'that replaces the workspace by a file': [[{ name: './', type: 'file' }, 'x']],
    'with the name that restores work under': [[{ name: '.reprise-restore/new/evil' }, 'x']],
    'with a name that is too long': [[{ name: 'n'.repeat(256) }, 'x']],
  };

  it.each(Object.entries(archives))('%s', async (_what, entries) => {
    const workspace = newWorkspace();
    writeFileSync(join(workspace, 'mine'), 'mine');
    const agent = await RunningAgent.start(bundle, workspace);
    const before = describeTree(workspace);
    const tar = await tarOf([{ name: 'first' }, 'fine'], ...entries, [{ name: 'last' }, 'z'.repeat(100_000)]);
    const { status, json } = await agent.restore(tar, digest(tar));
    expect({ status, code: json.error?.code }).toEqual({ status: 422, code: 'bad_archive' });
    expect(describeTree(workspace)).toEqual(before);
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('untouched');
    expect(readdirSync(dirname(workspace)).filter((name) => name.includes('restore'))).toEqual([]);
  });

  it('that is not the one that was promised', async () => {
    const workspace = newWorkspace();
    const agent = await RunningAgent.start(bundle, workspace);
    const tar = await tarOf([{ name: 'a' }, 'x']);
    expect(await agent.restore(tar, digest(Buffer.from('another')))).toMatchObject({
      status: 422,
      json: { error: { code: 'digest_mismatch' } },
    });
    expect(readdirSync(workspace)).toEqual([]);
    // The same pod takes the right one afterwards.
    expect(await agent.restore(tar, digest(tar))).toMatchObject({ status: 200 });
  });

  it.each([
    ['that is cut off within a file', (tar: Buffer) => tar.subarray(0, 1024 + 300)],
    ['that is cut off within a header', (tar: Buffer) => tar.subarray(0, 100)],
    ['that is no tar', () => Buffer.alloc(10_000, 'no tar ')],
  ])('%s', async (_what, damage) => {
    const workspace = newWorkspace();
    const agent = await RunningAgent.start(bundle, workspace);
    const bytes = damage(await tarOf([{ name: 'a' }, 'x'.repeat(5000)]));
    const { status, json } = await agent.restore(bytes, digest(bytes));
    expect({ status, code: json.error?.code }).toEqual({ status: 422, code: 'bad_archive' });
    expect(readdirSync(workspace)).toEqual([]);
  });
});

describe('a restore', () => {
  it('is refused once the pod is ready', async () => {
    const agent = await RunningAgent.start(bundle, newWorkspace());
    await agent.ready();
    const tar = await tarOf();
    expect(await agent.restore(tar, digest(tar))).toMatchObject({ status: 409, json: { error: { code: 'not_starting' } } });
  });

  it('says why it refuses, however much is still to be sent', async () => {
    const agent = await RunningAgent.start(bundle, newWorkspace());
    const tar = Buffer.concat([await tarOf([{ name: '../evil' }, 'x']), Buffer.alloc(30_000_000)]);
    for (let time = 0; time < 5; time++) {
      expect(await agent.restore(tar, digest(tar))).toMatchObject({ status: 422, json: { error: { code: 'bad_archive' } } });
    }
  });

  it('without a digest is refused', async () => {
    const agent = await RunningAgent.start(bundle, newWorkspace());
    expect(await agent.restore(Buffer.alloc(1024), 'ABC')).toMatchObject({ status: 400, json: { error: { code: 'bad_request' } } });
  });

  it('can be repeated, and the last one counts', async () => {
    const workspace = newWorkspace();
    const agent = await RunningAgent.start(bundle, workspace);
    for (const name of ['one', 'two']) {
      const tar = await tarOf([{ name }, name]);
      expect(await agent.restore(tar, digest(tar))).toMatchObject({ status: 200, json: { entries: 1, bytes: tar.length } });
    }
    expect(readdirSync(workspace)).toEqual(['two']);
  });

  it('takes over what a killed agent left aside', async () => {
    const workspace = newWorkspace();
    mkdirSync(join(workspace, '.reprise-restore', 'new', 'half'), { recursive: true });
    mkdirSync(join(workspace, '.reprise-restore', 'old'));
    writeFileSync(join(workspace, '.reprise-restore', 'old', 'moved'), 'x');
    const agent = await RunningAgent.start(bundle, workspace);
    expect(readdirSync(workspace)).toEqual([]);
    mkdirSync(join(workspace, '.reprise-restore', 'new', 'half'), { recursive: true });
    const tar = await tarOf([{ name: 'whole' }, 'x']);
    expect(await agent.restore(tar, digest(tar))).toMatchObject({ status: 200 });
    expect(readdirSync(workspace)).toEqual(['whole']);
  });

  it('whose sender goes away leaves the workspace as it was, and the next one succeeds', async () => {
    const workspace = newWorkspace();
    const agent = await RunningAgent.start(bundle, workspace);
    const headers = { authorization: 'Bearer pod.ws_test.1.secret', 'x-reprise-sha256': 'a'.repeat(64), 'content-length': '5000000' };
    const { request } = await import('node:http');
    await new Promise<void>((resolve) => {
      const call = request(`${agent.url}/v1/restore`, { method: 'PUT', headers });
      call.on('error', () => resolve());
      call.write(Buffer.alloc(100_000), () => call.destroy(new Error('gone')));
    });
    const tar = await tarOf([{ name: 'whole' }, 'x']);
    let answer = await agent.restore(tar, digest(tar));
    for (let attempt = 0; answer.status === 409 && attempt < 100; attempt++) answer = await agent.restore(tar, digest(tar));
    expect(answer).toMatchObject({ status: 200 });
    expect(readdirSync(workspace)).toEqual(['whole']);
  });

  (isRoot ? it : it.skip)(
    'on a full disk is refused with no_space and leaves the workspace as it was (needs root: mounts a tmpfs)',
    async () => {
      const mount = join(directory, 'small');
      mkdirSync(mount);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount]);
      try {
        const workspace = join(mount, 'workspace');
        const agent = await RunningAgent.start(bundle, workspace);
        writeFileSync(join(workspace, 'mine'), 'mine');
        for (const size of [8_000_000, 50_000]) {
          const many = Array.from({ length: 8_000_000 / size }, (_, i): [object, string] => [{ name: `f${i}` }, 'x'.repeat(size)]);
          const tar = await tarOf(...many);
          expect(await agent.restore(tar, digest(tar))).toMatchObject({ status: 507, json: { error: { code: 'no_space' } } });
          expect(readdirSync(workspace)).toEqual(['mine']);
        }
        await RunningAgent.stopAll();
      } finally {
        execFileSync('umount', ['-l', mount]);
      }
      expect(existsSync(join(mount, 'workspace'))).toBe(false);
    },
  );
});
