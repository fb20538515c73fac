import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { FileSnapshotStore } from '../../src/snapshots/files/file-snapshot-store';

const isRoot = process.geteuid?.() === 0;
const directory = mkdtempSync(join(tmpdir(), 'reprise-snapshots-'));
let count = 0;
let root: string;
let store: FileSnapshotStore;

beforeEach(() => {
  root = join(directory, `store-${++count}`);
  store = new FileSnapshotStore(root);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const read = async (stream: Readable): Promise<Buffer> => Buffer.concat((await stream.toArray()) as Buffer[]);
const incoming = (): string[] => (existsSync(join(root, '.incoming')) ? readdirSync(join(root, '.incoming')) : []);
const keys = async (prefix?: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const key of store.list(prefix)) found.push(key);
  return found.sort();
};

describe('the file store', () => {
  it('gives back the bytes that were put, and tells their digest and size', async () => {
    const bytes = randomBytes(3_000_000);
    const chunks = [bytes.subarray(0, 1), bytes.subarray(1, 1_000_000), bytes.subarray(1_000_000)];
    expect(await store.put('ws_1/1.tar.gz', Readable.from(chunks))).toEqual({
      sha256: createHash('sha256').update(bytes).digest('hex'),
      sizeBytes: bytes.length,
    });
    expect((await read(await store.get('ws_1/1.tar.gz'))).equals(bytes)).toBe(true);
    expect(await store.stat('ws_1/1.tar.gz')).toEqual({ sizeBytes: bytes.length, modifiedAt: expect.anything() });
    expect(incoming()).toEqual([]);
  });

  it('replaces an object as a whole: who reads the old one reads it to its end', async () => {
    await store.put('a', Readable.from([Buffer.alloc(2_000_000, 'old')]));
    const reading = await store.get('a');
    await store.put('a', Readable.from([Buffer.from('new')]));
    expect((await read(reading)).length).toBe(2_000_000);
    expect((await read(await store.get('a'))).toString()).toBe('new');
  });

  it('keeps nothing of a stream that fails, and throws what it failed with', async () => {
    await store.put('a', Readable.from([Buffer.from('before')]));
    const failing = Readable.from(
      (async function* () {
        yield Buffer.alloc(1_000_000);
        await Promise.resolve();
        throw new Error('the pod went away');
      })(),
    );
    await expect(store.put('a', failing)).rejects.toThrow('the pod went away');
    expect((await read(await store.get('a'))).toString()).toBe('before');
    expect(incoming()).toEqual([]);
  });

  it('knows what is missing', async () => {
    await expect(store.get('no/such')).rejects.toMatchObject({ reason: 'missing', retryable: false });
    expect(await store.stat('no/such')).toBeNull();
    await store.delete('no/such');
    expect(await keys()).toEqual([]);
    expect(await store.sweep(0)).toBe(0);
  });

  it('deletes an object and the directories that it leaves empty', async () => {
    await store.put('ws_1/1', Readable.from([Buffer.from('x')]));
    await store.put('ws_2/1', Readable.from([Buffer.from('x')]));
    await store.delete('ws_1/1');
    expect(await store.stat('ws_1/1')).toBeNull();
    expect(readdirSync(root).sort()).toEqual(['.incoming', 'ws_2']);
  });

  it('lists keys by prefix', async () => {
    for (const key of ['ws_1/1', 'ws_1/2', 'ws_10/1', 'other']) await store.put(key, Readable.from([Buffer.from('x')]));
    expect(await keys()).toEqual(['other', 'ws_1/1', 'ws_1/2', 'ws_10/1']);
    expect(await keys('ws_1/')).toEqual(['ws_1/1', 'ws_1/2']);
    expect(await keys('ws_1')).toEqual(['ws_1/1', 'ws_1/2', 'ws_10/1']);
    expect(await keys('none')).toEqual([]);
  });

  it('survives deletions beside puts', async () => {
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await store.put(`ws/${i}`, Readable.from([Buffer.from('x')]));
        await store.delete(`ws/${i}`);
      }),
    );
    expect(await keys()).toEqual([]);
  });

  it.each([
    '',
    '/',
    '/etc/passwd',
    '../x',
    'a/../b',
    'a/..',
    './a',
    'a//b',
    'a/',
    '.incoming/x',
    'a/.hidden',
    'a\0b',
    'a b',
    'é',
    'x'.repeat(600),
  ])('refuses the key %p and touches nothing', async (key) => {
    const refusal = { reason: 'bad_key', retryable: false };
    await expect(store.put(key, Readable.from([Buffer.from('x')]))).rejects.toMatchObject(refusal);
    await expect(store.get(key)).rejects.toMatchObject(refusal);
    await expect(store.stat(key)).rejects.toMatchObject(refusal);
    await expect(store.delete(key)).rejects.toMatchObject(refusal);
    expect(existsSync(root) ? readdirSync(root) : []).toEqual([]);
  });

  it('sweeps what killed writers left, and not what is being written', async () => {
    mkdirSync(join(root, '.incoming'), { recursive: true });
    writeFileSync(join(root, '.incoming', 'left'), 'half');
    utimesSync(join(root, '.incoming', 'left'), new Date(0), new Date(0));
    writeFileSync(join(root, '.incoming', 'being-written'), 'half');
    expect(await store.sweep(60_000)).toBe(1);
    expect(incoming()).toEqual(['being-written']);
    expect(await keys()).toEqual([]);
  });

  (isRoot ? it : it.skip)(
    'on a full disk fails with no_space, keeps the old object and leaves nothing half-written (needs root: mounts a tmpfs)',
    async () => {
      const mount = join(directory, 'small');
      mkdirSync(mount);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mount]);
      try {
        root = join(mount, 'store');
        store = new FileSnapshotStore(root);
        await store.put('a', Readable.from([Buffer.from('before')]));
        const large = Readable.from(Array.from({ length: 100 }, () => randomBytes(100_000)));
        await expect(store.put('a', large)).rejects.toMatchObject({ reason: 'no_space', retryable: true });
        expect(large.destroyed).toBe(true);
        expect((await read(await store.get('a'))).toString()).toBe('before');
        expect(incoming()).toEqual([]);
        // There is room again for what fits.
        await store.put('b', Readable.from([randomBytes(1_000_000)]));
      } finally {
        execFileSync('umount', ['-l', mount]);
      }
    },
  );

  (isRoot ? it.skip : it)('where it may not write fails with denied (not as root: nothing is denied to it)', async () => {
    mkdirSync(root, { mode: 0o500 });
    await expect(store.put('a', Readable.from([Buffer.from('x')]))).rejects.toMatchObject({ reason: 'denied', retryable: false });
    chmodSync(root, 0o700);
  });

  it('never tells a path of the machine', async () => {
    await expect(store.get('ws_1/1')).rejects.not.toMatchObject({ message: expect.stringContaining(directory) });
    symlinkSync('/dev/null/x', join(directory, `store-${count}`));
    const refusal: unknown = await store.put('a', Readable.from([Buffer.from('x')])).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'SnapshotStoreError' });
    expect(String(refusal)).not.toContain(directory);
  });

  it('holds no file open', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    await store.put('a', Readable.from([Buffer.alloc(1_000_000)]));
    const before = open();
    for (let i = 0; i < 10; i++) {
      (await store.get('a')).destroy();
      await read(await store.get('a'));
      await store.put('b', Readable.from([Buffer.from('x')]));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(open()).toBeLessThanOrEqual(before);
    expect(readFileSync(join(root, 'b'), 'utf8')).toBe('x');
  });
});
