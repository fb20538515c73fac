import { PodCache } from './pod-cache';
import type { PodView } from './pod-view';

const view = (more: Partial<PodView> = {}): PodView => ({
  workspaceId: 'ws',
  generation: 1,
  name: 'pod',
  uid: 'one',
  version: 1,
  phase: 'running',
  address: 'http://a',
  end: null,
  trouble: null,
  terminating: false,
  claim: null,
  salvages: false,
  ...more,
});
const evicted = { reason: 'evicted', detail: 'by whom' } as const;
let now = 0;
let cache: PodCache;
beforeEach(() => {
  now = 0;
  cache = new PodCache(() => now);
});

it('keeps what is newest, in whatever order it comes', () => {
  cache.saw(view({ version: 5, phase: 'dead' }));
  cache.saw(view({ version: 4 }));
  expect(cache.all()).toEqual([view({ version: 5, phase: 'dead' })]);
});

it('does not take a pod for there that was confirmed gone, whatever the watch still tells of it', () => {
  cache.saw(view());
  cache.forget('pod', 'one');
  cache.saw(view({ version: 2, terminating: true }));
  expect(cache.all()).toEqual([]);
  cache.sawDeleted(view({ version: 3 }));
  cache.saw(view({ uid: 'two', version: 4 }));
  expect(cache.all()).toEqual([view({ uid: 'two', version: 4 })]);
});

it('does not take a pod for there again by an answer that was on its way when it went', () => {
  cache.saw(view());
  cache.sawDeleted(view({ version: 5 }));
  cache.saw(view({ version: 4 }));
  expect(cache.all()).toEqual([]);
  cache.saw(view({ uid: 'two', version: 6 }));
  cache.replace([], 9);
  cache.saw(view({ uid: 'two', version: 8 }));
  expect(cache.all()).toEqual([]);
});

it('does not take a pod for there again by a watch that begins at a list from before it was made', () => {
  cache.saw(view({ version: 6 }));
  cache.forget('pod', 'one');
  cache.replace([], 5);
  cache.saw(view({ version: 6 }));
  cache.saw(view({ version: 7, terminating: true }));
  expect(cache.all()).toEqual([]);
});

it('does not take a pod for there again whose name another one has had since', () => {
  cache.saw(view());
  cache.saw(view({ uid: 'two', version: 5 }));
  cache.forget('pod', 'two');
  cache.saw(view({ version: 4 }));
  expect(cache.all()).toEqual([]);
});

it('takes a pod for there again that was only out of sight', () => {
  cache.saw(view());
  cache.sawDeleted(view({ version: 5 }));
  cache.saw(view({ version: 6 }));
  expect(cache.all()).toEqual([view({ version: 6 })]);
});

it('leaves a pod there that was out of sight before it was last seen', () => {
  const told: unknown[] = [];
  cache.saw(view({ version: 7 }));
  cache.listen('one', (seen) => told.push(seen));
  cache.sawDeleted(view({ version: 5 }));
  expect(cache.all()).toEqual([view({ version: 7 })]);
  expect(told).toEqual([]);
});

it('remembers so many that are gone, and not all of them', () => {
  const of = (n: number): PodView => view({ uid: `uid-${n}`, name: `pod-${n}` });
  for (let n = 0; n <= 10_000; n += 1) {
    cache.saw(of(n));
    cache.sawDeleted({ ...of(n), version: 2 });
  }
  cache.saw(of(1));
  expect(cache.all()).toEqual([]);
  cache.saw(of(0));
  expect(cache.all()).toEqual([of(0)]);
});

it('forgets no pod that came after the one that is gone', () => {
  cache.saw(view({ uid: 'two', version: 9 }));
  cache.forget('pod', 'one');
  cache.sawDeleted(view({ uid: 'one', version: 8 }));
  expect(cache.get('pod')).toMatchObject({ uid: 'two' });
});

it('takes from a list what is gone, and leaves what is newer than the list', () => {
  cache.saw(view({ name: 'gone', uid: 'gone', version: 3 }));
  cache.saw(view({ name: 'newer', uid: 'newer', version: 12 }));
  cache.replace([view({ version: 8 })], 10);
  expect(cache.all().map(({ uid }) => uid)).toEqual(['newer', 'one']);
});

it('tells whoever listens of each change and of the end, and nobody else', () => {
  const told: (string | null)[] = [];
  cache.saw(view({ phase: 'starting' }));
  const end = cache.listen('one', (seen) => told.push(seen?.phase ?? null));
  cache.saw(view({ version: 2 }));
  cache.saw(view({ uid: 'two', name: 'other', version: 3 }));
  cache.sawDeleted(view({ version: 4 }));
  end();
  cache.saw(view({ version: 5 }));
  expect(told).toEqual(['running', null]);
});

it('remembers what the cluster took away, for a time, until it is removed on purpose or made again', () => {
  for (const uid of ['one', 'two', 'three']) {
    cache.saw(view({ uid, name: uid, workspaceId: uid }));
    cache.sawDeleted(view({ uid, name: uid, workspaceId: uid, version: 2, end: evicted }));
  }
  expect(cache.all().map(({ uid, phase, end }) => [uid, phase, end])).toEqual(['one', 'two', 'three'].map((uid) => [uid, 'dead', evicted]));
  cache.forgetDeparted({ workspaceId: 'one', generation: 1 });
  cache.saw(view({ uid: 'again', name: 'two', version: 7 }));
  expect(cache.all().map(({ uid }) => uid)).toEqual(['again', 'three']);
  now = 600_001;
  expect(cache.all().map(({ uid }) => uid)).toEqual(['again']);
});

it('remembers no pod that ended by itself or was just removed', () => {
  for (const [uid, end] of [['one', null] as const, ['two', { reason: 'exited', detail: '' }] as const]) {
    cache.saw(view({ uid }));
    cache.sawDeleted(view({ uid, version: 2, end }));
  }
  expect(cache.all()).toEqual([]);
});
