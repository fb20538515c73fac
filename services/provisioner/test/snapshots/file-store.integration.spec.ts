import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
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
import { storeConformance, type TroubledStore } from './store-conformance';

const isRoot = process.geteuid?.() === 0;
const directory = mkdtempSync(join(tmpdir(), 'reprise-snapshots-'));
let count = 0;
let root: string;

const open = (): Promise<FileSnapshotStore> => {
  root = join(directory, `store-${++count}`);
  return Promise.resolve(new FileSnapshotStore(root));
};
const incoming = (): string => join(root, '.incoming');
const halfWritten = (): string[] => (existsSync(incoming()) ? readdirSync(incoming()) : []);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The open store's directory on a file system of 2 MiB. */
function full(): Promise<TroubledStore> {
  const kept = readFileSync(join(root, 'b'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', root]);
  writeFileSync(join(root, 'b'), kept);
  const mounted = root;
  const relieve = async (): Promise<void> => {
    // There is room again for what fits, and what was there before is as it was.
    await new FileSnapshotStore(mounted).put('fits', Readable.from([randomBytes(1_000_000)]));
    expect(readFileSync(join(mounted, 'b')).equals(kept)).toBe(true);
    expect(halfWritten()).toEqual([]);
    execFileSync('umount', ['-l', mounted]);
  };
  return Promise.resolve({ store: new FileSnapshotStore(root), relieve });
}

function denied(): Promise<TroubledStore> {
  mkdirSync(root, { mode: 0o500 });
  return Promise.resolve({ store: new FileSnapshotStore(root), relieve: () => Promise.resolve(chmodSync(root, 0o700)) });
}

storeConformance('files', {
  open,
  halfWritten: () => Promise.resolve(halfWritten().length),
  leaveHalfWritten: (ageMs) => {
    mkdirSync(incoming(), { recursive: true });
    const path = join(incoming(), randomUUID());
    writeFileSync(path, 'half');
    const then = (Date.now() - ageMs) / 1_000;
    utimesSync(path, then, then);
    return Promise.resolve();
  },
  replaceBytes: (key, change) => Promise.resolve(writeFileSync(join(root, key), change(readFileSync(join(root, key))))),
  full: isRoot ? { make: full } : { why: 'needs root: it mounts a tmpfs' },
  denied: isRoot ? { why: 'not as root: nothing is denied to it' } : { make: denied },
  secrets: () => [directory],
});

describe('the file store', () => {
  let store: FileSnapshotStore;
  beforeEach(async () => {
    store = await open();
  });

  it('leaves no empty directories where an object was deleted', async () => {
    await store.put('ws_1/1', Readable.from([Buffer.from('x')]));
    await store.put('ws_2/1', Readable.from([Buffer.from('x')]));
    await store.delete('ws_1/1');
    expect(readdirSync(root).sort()).toEqual(['.incoming', 'ws_2']);
  });

  it('makes no directory for a key that it refuses', async () => {
    await expect(store.put('../x', Readable.from([Buffer.from('x')]))).rejects.toMatchObject({ reason: 'bad_key' });
    expect(existsSync(root)).toBe(false);
  });

  it('never tells a path of the machine, whatever is in its way', async () => {
    symlinkSync('/dev/null/x', root);
    const refusal: unknown = await store.put('a', Readable.from([Buffer.from('x')])).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'SnapshotStoreError' });
    expect(String(refusal)).not.toContain(directory);
  });
});
