import { LIMITS } from '../testing/limits';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { SnapshotStore } from '../../src/snapshots/snapshot-store';
import { openSnapshot, saveSnapshot, verifySnapshot, type SnapshotRecord } from '../../src/snapshots/snapshots';
import { until } from '../testing/until';
import { tarOf } from '../testing/tars';

/** A store that cannot do its work, and its end. */
export interface TroubledStore {
  readonly store: SnapshotStore;
  /** Makes it work again. */
  readonly relieve: () => Promise<void>;
}

/** What a store's own spec offers, so that all stores are held to the same. */
export interface StoreHost {
  /** An empty store. Called before each test. */
  open(): Promise<SnapshotStore>;
  /** How many half-written objects the open store keeps. */
  halfWritten(): Promise<number>;
  /** Leaves a half-written object in the open store, as a killed writer would, so long ago. */
  leaveHalfWritten(ageMs: number): Promise<void>;
  /** Puts other bytes in the place of an object's, past the store. */
  replaceBytes(key: string, change: (bytes: Buffer) => Buffer): Promise<void>;
  /** The open store without room for what is put now. Null where this machine cannot make one; `why` is said. */
  readonly full: { readonly make: () => Promise<TroubledStore> } | { readonly why: string };
  /** The open store where nothing may be written. */
  readonly denied: { readonly make: () => Promise<TroubledStore> } | { readonly why: string };
  /** What must not be read in any error: addresses, paths, keys. */
  secrets(): string[];
}

/** From nothing to several parts of the least size that S3 has, and the sizes beside the borders between. */
const MEBIBYTE = 1024 * 1024;
const SIZES = [0, 1, 5 * MEBIBYTE - 1, 5 * MEBIBYTE, 5 * MEBIBYTE + 1, 10 * MEBIBYTE, 17_000_000];

export function storeConformance(name: string, host: StoreHost): void {
  describe(`the ${name} store, as every store`, () => {
    let store: SnapshotStore;
    beforeEach(async () => {
      store = await host.open();
    });

    const read = async (stream: Readable): Promise<Buffer> => Buffer.concat((await stream.toArray()) as Buffer[]);
    const text = async (key: string): Promise<string> => (await read(await store.get(key))).toString();
    const put = (key: string, content: string) => store.put(key, Readable.from([Buffer.from(content)]));
    const keys = async (prefix?: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const key of store.list(prefix)) found.push(key);
      return found.sort();
    };

    it.each(SIZES)('gives back %i bytes as they were put, and tells their digest and size', async (size) => {
      const bytes = randomBytes(size);
      const chunks = Array.from({ length: Math.ceil(size / 100_000) }, (_, i) => bytes.subarray(i * 100_000, (i + 1) * 100_000));
      const before = Date.now();
      expect(await store.put('ws_1/1.tar.br', Readable.from(chunks))).toEqual({
        sha256: createHash('sha256').update(bytes).digest('hex'),
        sizeBytes: size,
      });
      expect((await read(await store.get('ws_1/1.tar.br'))).equals(bytes)).toBe(true);
      const stat = await store.stat('ws_1/1.tar.br');
      expect(stat?.sizeBytes).toBe(size);
      // S3 tells whole seconds.
      expect(stat?.modifiedAt.getTime()).toBeGreaterThan(before - 2_000);
      expect(await host.halfWritten()).toBe(0);
    });

    it.each([3, 12_000_000])('overwrites nothing: an object stays as it is when %i bytes are put under its key', async (size) => {
      await put('a', 'old');
      const stream = Readable.from([Buffer.alloc(size, 'new')]);
      await expect(store.put('a', stream)).rejects.toMatchObject({ reason: 'exists', retryable: true });
      expect([await text('a'), stream.destroyed, await host.halfWritten()]).toEqual(['old', true, 0]);
    });

    it('of several puts at once under one key keeps the first to end, whole', async () => {
      const sizes = [1_000_001, 1_000_002, 6_000_003, 6_000_004];
      const puts = sizes.map((size) => store.put('a', Readable.from([Buffer.alloc(size, 'x')])));
      const ends = await Promise.allSettled(puts);
      const kept = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value.sizeBytes] : []));
      expect(kept).toEqual([(await store.stat('a'))?.sizeBytes]);
      const refused = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as { reason: string }).reason] : []));
      expect(refused).toEqual(['exists', 'exists', 'exists']);
      expect(await host.halfWritten()).toBe(0);
    });

    it('shows nothing of an object before it is complete', async () => {
      let give: () => void = () => undefined;
      const given = new Promise<void>((resolve) => (give = resolve));
      const halting = Readable.from(
        (async function* () {
          yield randomBytes(12_000_000);
          await given;
          yield Buffer.from('the end');
        })(),
      );
      const putting = store.put('a', halting);
      await until(async () => (await host.halfWritten()) > 0);
      expect(await keys()).toEqual([]);
      expect(await store.stat('a')).toBeNull();
      await expect(store.get('a')).rejects.toMatchObject({ reason: 'missing' });
      give();
      expect((await putting).sizeBytes).toBe(12_000_007);
      expect((await store.stat('a'))?.sizeBytes).toBe(12_000_007);
    });

    it.each([0, 1_000_000, 14_000_000])(
      'keeps nothing of a stream that fails after %i bytes, and throws what it failed with',
      async (size) => {
        await put('b', 'before');
        const failing = Readable.from(
          (async function* () {
            yield randomBytes(size);
            await Promise.resolve();
            throw new Error('the pod went away');
          })(),
        );
        await expect(store.put('a', failing)).rejects.toThrow('the pod went away');
        expect(await keys()).toEqual(['b']);
        expect(await host.halfWritten()).toBe(0);
      },
    );

    it('keeps nothing of a stream that is destroyed while it is stored', async () => {
      const stream = new Readable({ read: () => undefined });
      stream.push(randomBytes(12_000_000));
      const putting = store.put('a', stream);
      putting.catch(() => undefined);
      await until(async () => (await host.halfWritten()) > 0);
      stream.destroy(new Error('given up'));
      await expect(putting).rejects.toThrow('given up');
      expect(await store.stat('a')).toBeNull();
      expect(await host.halfWritten()).toBe(0);
    });

    it('knows what is missing', async () => {
      await expect(store.get('no/such')).rejects.toMatchObject({ reason: 'missing', retryable: false });
      expect(await store.stat('no/such')).toBeNull();
      await store.delete('no/such');
      expect(await keys()).toEqual([]);
      expect(await store.sweep(0)).toBe(0);
    });

    it('deletes an object, and no other', async () => {
      await put('ws_1/1', 'x');
      await put('ws_2/1', 'x');
      await store.delete('ws_1/1');
      expect(await store.stat('ws_1/1')).toBeNull();
      expect(await keys()).toEqual(['ws_2/1']);
    });

    it('lists keys by prefix', async () => {
      for (const key of ['ws_1/1', 'ws_1/2', 'ws_10/1', 'other']) await put(key, 'x');
      expect(await keys()).toEqual(['other', 'ws_1/1', 'ws_1/2', 'ws_10/1']);
      expect(await keys('ws_1/')).toEqual(['ws_1/1', 'ws_1/2']);
      expect(await keys('ws_1')).toEqual(['ws_1/1', 'ws_1/2', 'ws_10/1']);
      expect(await keys('none')).toEqual([]);
    });

    it('survives deletions beside puts', async () => {
      await Promise.all(
        Array.from({ length: 30 }, async (_, i) => {
          await put(`ws_${i}/1`, 'x');
          await store.delete(`ws_${i}/1`);
        }),
      );
      expect(await keys()).toEqual([]);
    });

    const long = 'x'.repeat(600);
    it.each(['', '/', '/etc/passwd', '../x', 'a/../b', 'a/..', './a', 'a//b', 'a/', '.incoming/x', 'a/.hidden', 'a\0b', 'a b', 'é', long])(
      'refuses the key %p and touches nothing',
      async (key) => {
        const refusal = { reason: 'bad_key', retryable: false };
        const stream = Readable.from([Buffer.from('x')]);
        await expect(store.put(key, stream)).rejects.toMatchObject(refusal);
        expect(stream.destroyed).toBe(true);
        await expect(store.get(key)).rejects.toMatchObject(refusal);
        await expect(store.stat(key)).rejects.toMatchObject(refusal);
        await expect(store.delete(key)).rejects.toMatchObject(refusal);
        expect(await keys()).toEqual([]);
      },
    );

    it('sweeps what killed writers left, and not what is being written', async () => {
      await host.leaveHalfWritten(3_600_000);
      await host.leaveHalfWritten(3_600_000);
      await host.leaveHalfWritten(3_600_000);
      await host.leaveHalfWritten(0);
      expect(await store.sweep(60_000)).toBe(3);
      expect(await host.halfWritten()).toBe(1);
      expect(await keys()).toEqual([]);
    });

    it('says that it may be written to, and leaves nothing of that', async () => {
      await store.check();
      expect(await keys()).toEqual([]);
      expect(await host.halfWritten()).toBe(0);
    });

    needing(host.full)('where there is no room fails with no_space, keeps what is there and leaves nothing half-written', async (make) => {
      await put('b', 'before');
      const { store: full, relieve } = await make();
      try {
        const large = Readable.from(Array.from({ length: 120 }, () => randomBytes(100_000)));
        await expect(full.put('a', large)).rejects.toMatchObject({ reason: 'no_space', retryable: true });
        expect(large.destroyed).toBe(true);
      } finally {
        await relieve();
      }
      expect(await host.halfWritten()).toBe(0);
      expect([await keys(), await text('b')]).toEqual([['b'], 'before']);
    });

    needing(host.denied)('where it may not write fails with denied', async (make) => {
      const { store: denied, relieve } = await make();
      try {
        const refusal = { reason: 'denied', retryable: false };
        await expect(denied.put('a', Readable.from([Buffer.from('x')]))).rejects.toMatchObject(refusal);
        await expect(denied.put('a', Readable.from([randomBytes(12_000_000)]))).rejects.toMatchObject(refusal);
        await expect(denied.check()).rejects.toMatchObject(refusal);
      } finally {
        await relieve();
      }
      expect(await host.halfWritten()).toBe(0);
      expect(await keys()).toEqual([]);
    });

    describe('with a snapshot in it', () => {
      let record: SnapshotRecord;
      const tar = tarOf([{ name: 'a' }, randomBytes(100_000).toString('hex')]);
      const sha256 = async (): Promise<string> =>
        createHash('sha256')
          .update(await tar)
          .digest('hex');

      beforeEach(async () => {
        const source = { stream: Readable.from([await tar]), digest: sha256().then((digest) => ({ sha256: digest, entries: 1 })) };
        record = await saveSnapshot(store, 'ws_1/1.tar.br', source, LIMITS);
        await verifySnapshot(store, record, LIMITS);
      });

      it.each<[string, (bytes: Buffer) => Buffer]>([
        ['shortened by a byte', (bytes) => bytes.subarray(0, -1)],
        ['shortened to a half', (bytes) => bytes.subarray(0, bytes.length / 2)],
        ['emptied', () => Buffer.alloc(0)],
        ['lengthened', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
        ['flipped in one bit', (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1_000 ? byte ^ 1 : byte)))],
        ['exchanged for another archive', () => gzipSync('another')],
      ])('finds that it was %s', async (_what, change) => {
        await host.replaceBytes(record.key, change);
        await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject({ reason: 'corrupt', retryable: false });
      });

      it('finds that it is gone', async () => {
        await store.delete(record.key);
        await expect(verifySnapshot(store, record, LIMITS)).rejects.toMatchObject({ reason: 'missing' });
        await expect(openSnapshot(store, record)).rejects.toMatchObject({ reason: 'missing' });
      });
    });

    it('tells nothing of the machine or of its keys in an error', async () => {
      const error: unknown = await store.get('ws_1/1').catch((it: unknown) => it);
      expect(error).toMatchObject({ name: 'SnapshotStoreError' });
      for (const secret of host.secrets()) expect(String(error)).not.toContain(secret);
    });

    it('holds nothing open', async () => {
      const open = (): number => readdirSync('/proc/self/fd').length;
      await store.put('a', Readable.from([Buffer.alloc(6_000_000)]));
      await read(await store.get('a'));
      const before = open();
      for (let i = 0; i < 10; i++) {
        (await store.get('a')).destroy();
        await read(await store.get('a'));
        await put(`b${i}`, 'x');
      }
      // A few connections are kept for the next call, not one for each that was.
      await until(() => open() <= before + 4);
    });
  });
}

/** A test for which this machine may lack something; then it is skipped, and its name says why. */
function needing(trouble: StoreHost['full']) {
  return (promise: string, test: (make: () => Promise<TroubledStore>) => Promise<void>): void => {
    if ('make' in trouble) it(promise, () => test(trouble.make));
    else it.skip(`${promise} (${trouble.why})`, () => undefined);
  };
}
