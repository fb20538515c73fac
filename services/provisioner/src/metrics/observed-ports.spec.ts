import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Metrics } from '@reprise/platform';
import { type PodDriver, PodError } from '../pods/pod-driver';
import { type SnapshotStore, SnapshotStoreError } from '../snapshots/snapshot-store';
import { ObservedPodDriver } from './observed-pod-driver';
import { ObservedSnapshotStore } from './observed-snapshot-store';
import { storeMeters } from './store-meters';

const metrics = new Metrics();
const told = async (series: string): Promise<string[]> => (await metrics.text()).split('\n').filter((line) => line.startsWith(series));

describe('a snapshot store that is observed', () => {
  const broken = new Readable({ read: () => broken.destroy(new SnapshotStoreError('io', 'the disk is gone')) });
  const store = new ObservedSnapshotStore(
    {
      put: async (_key: string, stream: Readable) => ({ sha256: '', sizeBytes: (await text(stream)).length }),
      get: (key: string) => (key === 'broken' ? Promise.resolve(broken) : Promise.resolve(Readable.from([key]))),
      stat: () => Promise.reject(new SnapshotStoreError('denied', 'not yours')),
      list: async function* () {
        yield await Promise.resolve('a');
        throw new SnapshotStoreError('io', 'half of it');
      },
    } as unknown as SnapshotStore,
    storeMeters(metrics),
  );
  const calls = (call: string, outcome: string) =>
    told(`reprise_snapshot_store_call_duration_seconds_count{call="${call}",outcome="${outcome}"} `);

  it('gives what the store gives, and counts calls and bytes', async () => {
    expect(await store.put('k', Readable.from(['12345']))).toEqual({ sha256: '', sizeBytes: 5 });
    expect(await text(await store.get('k'))).toBe('k');
    expect(await calls('put', 'ok')).toHaveLength(1);
    expect(await calls('get', 'ok')).toHaveLength(1);
    expect(await told('reprise_snapshot_stored_bytes_total')).toEqual(['reprise_snapshot_stored_bytes_total 5']);
  });

  it('throws what the store throws, also in the middle, and counts it by its reason', async () => {
    await expect(store.stat('k')).rejects.toThrow('denied');
    await expect(text(await store.get('broken'))).rejects.toThrow('the disk is gone');
    await expect(async () => {
      for await (const key of store.list()) expect(key).toBe('a');
    }).rejects.toThrow('half of it');
    for (const [call, outcome] of [
      ['stat', 'denied'],
      ['get', 'io'],
      ['list', 'io'],
    ] as const) {
      expect(await calls(call, outcome)).toHaveLength(1);
    }
  });

  it('does not hold against the store that what was to be stored broke on its way', async () => {
    const torn = new Readable({ read: () => torn.destroy(new Error('the pod is gone')) });
    await expect(store.put('k', torn)).rejects.toThrow('the pod is gone');
    expect(await calls('put', 'stream')).toHaveLength(1);
  });
});

it('a pod driver that is observed throws what the driver throws, and counts it by its reason', async () => {
  const driver = new ObservedPodDriver(
    { list: () => Promise.resolve([]), create: () => Promise.reject(new PodError('no_space', 'full')) } as unknown as PodDriver,
    metrics,
  );
  expect(await driver.list()).toEqual([]);
  await expect(driver.create({} as never)).rejects.toThrow('no_space');
  expect(await told('reprise_pod_driver_call_duration_seconds_count')).toEqual([
    'reprise_pod_driver_call_duration_seconds_count{call="list",outcome="ok"} 1',
    'reprise_pod_driver_call_duration_seconds_count{call="create",outcome="no_space"} 1',
  ]);
});
