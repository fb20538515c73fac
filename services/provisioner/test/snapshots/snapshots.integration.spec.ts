import { LIMITS } from '../testing/limits';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { AgentClient } from '../../src/pods/agent-client';
import type { PodSpec } from '../../src/pods/pod-driver';
import { ProcessPodDriver } from '../../src/pods/process/process-pod-driver';
import { FileSnapshotStore } from '../../src/snapshots/files/file-snapshot-store';
import { openSnapshot, saveSnapshot, verifySnapshot, type SnapshotRecord } from '../../src/snapshots/snapshots';
import { bundleAgent } from '../testing/agent-bundle';
import { headOf, linkHeadOf, tarOf } from '../testing/tars';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';

const directory = mkdtempSync(join(tmpdir(), 'reprise-snapshots-'));
const podsDir = join(directory, 'pods');
const driver = new ProcessPodDriver({ podsDir, agentPath: bundleAgent(directory), gatewayUrl: 'http://127.0.0.1:9' });
const storeDir = join(directory, 'store');
const store = new FileSnapshotStore(storeDir);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

afterEach(async () => {
  for (const pod of await driver.list()) await driver.remove(pod, { graceSeconds: 0 });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function pod(spec: PodSpec): Promise<{ agent: AgentClient; files: string }> {
  const { address } = await driver.create(spec);
  return {
    agent: new AgentClient({ address, credentials: credentialsOf(spec) }),
    files: join(podsDir, spec.workspaceId, 'workspace'),
  };
}

async function savedPod(
  plant: (files: string) => void,
): Promise<{ spec: PodSpec; agent: AgentClient; files: string; record: SnapshotRecord }> {
  const spec = newSpec();
  const { agent, files } = await pod(spec);
  plant(files);
  await agent.resumeWork();
  await agent.quiesce('interrupted_by_restart');
  const record = await saveSnapshot(store, `${spec.workspaceId}/1.tar.br`, await agent.snapshot(LIMITS), LIMITS);
  return { spec, agent, files, record };
}

/** Puts other bytes in the place of a stored snapshot, with a record that fits them as far as it can. */
async function forged(tar: Buffer, record: Partial<SnapshotRecord> = {}): Promise<SnapshotRecord> {
  const packed = record.encoding === 'gzip' ? gzipSync(tar) : brotliCompressSync(tar);
  const key = `forged-${randomUUID()}`;
  const stored = await store.put(key, Readable.from([packed]));
  return {
    key,
    tarSha256: sha256(tar),
    tarBytes: tar.length,
    entries: 1,
    storedSha256: stored.sha256,
    storedBytes: stored.sizeBytes,
    encoding: 'br',
    ...record,
  };
}

describe('a snapshot', () => {
  it('goes from a pod into the store and into the next pod, the same to the byte', async () => {
    const { spec, files, record } = await savedPod((root) => {
      mkdirSync(join(root, 'sub/empty'), { recursive: true });
      writeFileSync(join(root, 'sub/file'), Buffer.alloc(2_000_000, 'content'), { mode: 0o640 });
    });
    await verifySnapshot(store, record, LIMITS);
    const before = execFileSync('tar', ['-c', '--sort=name', '--format=pax', '.'], { cwd: files, maxBuffer: 1e8 });
    await driver.remove(spec, { graceSeconds: 5 });
    const next = await pod(nextGeneration(spec));
    const restored = await next.agent.restore(await openSnapshot(store, record), { sha256: record.tarSha256 });
    expect(restored).toEqual({ entries: record.entries, bytes: record.tarBytes });
    const listing = (tar: Buffer): string => execFileSync('tar', ['-tv'], { input: tar }).toString();
    expect(listing(execFileSync('tar', ['-c', '--sort=name', '--format=pax', '.'], { cwd: next.files, maxBuffer: 1e8 }))).toBe(
      listing(before),
    );
    expect(readFileSync(join(next.files, 'sub/file')).equals(Buffer.alloc(2_000_000, 'content'))).toBe(true);
    await next.agent.resumeWork();
    expect((await next.agent.history()).match(/pod\.started/g)).toHaveLength(2);
  });

  it('of before, in gzip, is read as it was written', async () => {
    const tar = await tarOf([{ name: 'a' }, 'content']);
    const record = await forged(tar, { encoding: 'gzip' });
    await verifySnapshot(store, record, LIMITS);
    expect(Buffer.concat(await (await openSnapshot(store, record)).toArray()).equals(tar)).toBe(true);
  });

  it('that is taken again is the same, under a key of its own', async () => {
    const { agent, record } = await savedPod((root) => writeFileSync(join(root, 'a'), 'a'));
    const again = await saveSnapshot(store, `${record.key}.2`, await agent.snapshot(LIMITS), LIMITS);
    expect(again).toEqual({ ...record, key: `${record.key}.2` });
    await verifySnapshot(store, again, LIMITS);
  });

  it('whose pod dies in the middle is not kept', async () => {
    const spec = newSpec();
    const { agent, files } = await pod(spec);
    for (let i = 0; i < 5; i++) truncateSync(touch(join(files, `file-${i}`)), 50_000_000);
    await agent.resumeWork();
    await agent.quiesce('x');
    const source = await agent.snapshot(LIMITS);
    const saving = saveSnapshot(store, 'dying', source, LIMITS);
    saving.catch(() => undefined);
    await until(() => source.stream.readableLength > 0 || source.stream.readableEnded);
    const { pid } = JSON.parse(readFileSync(join(files, '..', '1', 'told', 'agent.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await expect(saving).rejects.toMatchObject({ name: 'AgentError', reason: 'broken', retryable: true });
    expect(await store.stat('dying')).toBeNull();
  });

  it('that is given up is not kept, and the pod goes on', async () => {
    const spec = newSpec();
    const { agent, files } = await pod(spec);
    truncateSync(touch(join(files, 'file')), 300_000_000);
    await agent.resumeWork();
    await agent.quiesce('x');
    const giveUp = new AbortController();
    const saving = saveSnapshot(store, 'given-up', await agent.snapshot(LIMITS), LIMITS, giveUp.signal);
    giveUp.abort();
    await expect(saving).rejects.toThrow();
    expect(await store.stat('given-up')).toBeNull();
    await agent.resumeWork();
    expect(await agent.health()).toMatchObject({ status: 'ready' });
  });

  (process.geteuid?.() === 0 ? it : it.skip)('for which there is no room fails with no_space (needs root: mounts a tmpfs)', async () => {
    const mount = join(directory, 'small');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
    try {
      const { agent } = await savedPod((root) => execFileSync('sh', ['-c', 'head -c 20000000 /dev/urandom > random'], { cwd: root }));
      const saving = saveSnapshot(new FileSnapshotStore(join(mount, 'store')), 'a', await agent.snapshot(LIMITS), LIMITS);
      await expect(saving).rejects.toMatchObject({ name: 'SnapshotStoreError', reason: 'no_space' });
      await agent.resumeWork();
      expect(await agent.health()).toMatchObject({ status: 'ready' });
    } finally {
      execFileSync('umount', ['-l', mount]);
    }
  });
});

describe('what is sent in the place of a snapshot', () => {
  const few = { entries: 10, bytes: 16 * 1024 * 1024, depth: 5 };
  const sent = { sha256: 'a'.repeat(64), entries: 1 };

  async function* content(head: Promise<Buffer>): AsyncGenerator<Buffer> {
    yield await head;
    for (let n = 0; n < 1_024; n += 1) yield randomBytes(1024 * 1024);
  }
  async function* zeros(): AsyncGenerator<Buffer> {
    yield (await tarOf([{ name: 'a' }, 'x'])).subarray(0, 1_024);
    for (;;) yield Buffer.alloc(1024 * 1024);
  }

  it.each<[string, string, () => AsyncGenerator<Buffer>, string]>([
    ['a file that is too large', 'large', () => content(headOf({ name: 'a' }, 1024 ** 3)), 'too_large'],
    ['a link that says it has content', 'link', () => content(linkHeadOf('a', 1024 ** 3)), 'too_large'],
    ['a tar without an end', 'endless', zeros, 'corrupt'],
    ['no tar', 'none', () => content(headOf({ name: 'a', type: 'character-device' }, 0)), 'corrupt'],
  ])('%s is stored no further than that is seen', async (_what, key, source, reason) => {
    let given = 0;
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const chunk of source()) {
        given += chunk.length;
        yield chunk;
      }
    };
    const saving = saveSnapshot(store, key, { stream: Readable.from(counted()), digest: Promise.resolve(sent) }, few);
    await expect(saving).rejects.toMatchObject({ name: 'SnapshotStoreError', reason });
    expect(given).toBeLessThan(64 * 1024 * 1024);
    expect(await store.stat(key)).toBeNull();
    expect(readdirSync(join(storeDir, '.incoming'))).toEqual([]);
  });
});

describe('verification refuses', () => {
  const corrupt = { name: 'SnapshotStoreError', reason: 'corrupt', retryable: false };

  it('a snapshot of which one byte has changed, wherever it is', async () => {
    const { record } = await savedPod((root) => execFileSync('sh', ['-c', 'head -c 20000 /dev/urandom > random'], { cwd: root }));
    const path = join(storeDir, record.key);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 40)) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x01;
      writeFileSync(path, damaged);
      await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject(corrupt);
    }
    for (const length of [0, 1, 10, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject(corrupt);
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.from('more')]));
    await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject(corrupt);
    writeFileSync(path, whole);
    await verifySnapshot(store, record, LIMITS);
  });

  it('a snapshot that is gone', async () => {
    const { record } = await savedPod(() => undefined);
    await store.delete(record.key);
    await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject({ reason: 'missing' });
  });

  it.each<[string, [header: object, content?: string][]]>([
    ['an absolute path', [[{ name: '/etc/evil' }, 'x']]],
    ['a path that climbs', [[{ name: 'a/../../evil' }, 'x']]],
    ['a path that climbs by a record of ours', [[{ name: 'a', pax: { 'REPRISE.path': Buffer.from('../evil').toString('base64') } }, 'x']]],
    ['a path through a symlink', [[{ name: 'way', type: 'symlink', linkname: '/etc' }], [{ name: 'way/evil' }, 'x']]],
    ['a hard link that climbs', [[{ name: 'evil', type: 'link', linkname: '../../etc/passwd' }]]],
    ['a device', [[{ name: 'evil', type: 'character-device' }]]],
  ])('a tar with %s, although every digest is right', async (_what, entries) => {
    const record = await forged(await tarOf(...entries), { entries: entries.length });
    await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject(corrupt);
  });

  it('a tar that is cut off, although every digest is right', async () => {
    const tar = await tarOf([{ name: 'a' }, 'x'.repeat(5_000)]);
    await verifySnapshot(store, await forged(tar), LIMITS);
    for (const length of [300, 512, 1_000, 4_096, tar.length - 1_024, tar.length - 512, tar.length - 1]) {
      await expect(verifySnapshot(store, await forged(tar.subarray(0, length)), LIMITS)).rejects.toMatchObject(corrupt);
    }
  });

  it('bytes of another encoding than the record says', async () => {
    const tar = await tarOf([{ name: 'a' }, 'x']);
    for (const [said, is] of [
      ['gzip', 'br'],
      ['br', 'gzip'],
    ] as const) {
      await expect(verifySnapshot(store, { ...(await forged(tar, { encoding: is })), encoding: said }, LIMITS)).rejects.toMatchObject(
        corrupt,
      );
    }
  });

  it('a tar with another count of entries', async () => {
    const tar = await tarOf([{ name: 'a' }, 'x'], [{ name: 'b' }, 'x']);
    await expect(verifySnapshot(store, await forged(tar, { entries: 3 }), LIMITS)).rejects.toMatchObject(corrupt);
  });

  it('what the agent and the provisioner have not seen alike', async () => {
    const tar = await tarOf([{ name: 'a' }, 'x']);
    const source = { stream: Readable.from([tar]), digest: Promise.resolve({ sha256: sha256(Buffer.from('other')), entries: 1 }) };
    await expect(saveSnapshot(store, 'unlike', source, LIMITS)).rejects.toMatchObject(corrupt);
    expect(await store.stat('unlike')).toBeNull();
  });
});

(process.env.REPRISE_LONG_TESTS === '1' ? describe : describe.skip)('a file of more than 4 GB (REPRISE_LONG_TESTS=1)', () => {
  it('is saved, verified and restored with its size and with what stands beyond 4 GB', async () => {
    const beyond = 4_100_000_000;
    const { spec, record } = await savedPod((root) => {
      truncateSync(touch(join(root, 'large')), beyond);
      writeFileSync(join(root, 'large'), 'the end', { flag: 'a' });
    });
    expect(record.tarBytes).toBeGreaterThan(beyond);
    await verifySnapshot(store, record, LIMITS);
    await driver.remove(spec, { graceSeconds: 5 });
    const { agent, files } = await pod(nextGeneration(spec));
    await agent.restore(await openSnapshot(store, record), { sha256: record.tarSha256 });
    expect(
      execFileSync('stat', ['-c', '%s', join(files, 'large')])
        .toString()
        .trim(),
    ).toBe(String(beyond + 7));
    expect(execFileSync('tail', ['-c', '7', join(files, 'large')]).toString()).toBe('the end');
  }, 300_000);
});

function touch(path: string): string {
  writeFileSync(path, '');
  return path;
}
