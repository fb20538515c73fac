import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newId } from '@reprise/contracts';
import { Adoption } from '../../src/adoption/adoption.service';
import { AdoptionRepository } from '../../src/adoption/adoption.repository';
import { Retention } from '../../src/retention/retention.service';
import { type SnapshotStore, SnapshotStoreError } from '../../src/snapshots/snapshot-store';
import { Gate } from './support/faults';
import { Replica } from './support/replica';
import { Workspace, World } from './support/world';

const DAYS_MS = 86_400_000;

type FaultyStore = Pick<SnapshotStore, 'get' | 'stat'>;

describe('a snapshot that is in the store and not in the database', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
    replica = await Replica.start(world);
  });
  afterAll(async () => {
    await replica?.stop();
    await world?.end();
  });

  const adopt = (key: string) => replica.get(Adoption).adopt(key);
  const unrecorded = (workspace?: Workspace) => replica.get(Adoption).unrecorded(100, workspace?.id);
  const rows = ({ id }: Workspace) =>
    world.database.query<{ id: string; key: string; status: string }[]>(
      `SELECT id, key, status FROM snapshots WHERE workspace_id = $1 ORDER BY seq`,
      [id],
    );

  /** A stopped workspace whose database knows `older`, and whose store has a snapshot with `newer` besides. */
  async function restored(): Promise<{ workspace: Workspace; key: string; id: string }> {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo older > file');
    await workspace.replace(replica);
    await world.sh(workspace.id, 'echo newer > file');
    await workspace.remove(replica);
    const { key, id } = (await rows(workspace)).at(-1)!;
    await world.database.query(`DELETE FROM snapshots WHERE id = $1`, [id]);
    return { workspace, key, id };
  }

  const pathOf = (key: string): string => join(world.snapshotsDir, key);
  function age(key: string): void {
    const then = (Date.now() - 10 * DAYS_MS) / 1_000;
    utimesSync(pathOf(key), then, then);
  }

  it('is listed, is adopted as it was, and the workspace resumes from it', async () => {
    const { workspace, key, id } = await restored();
    expect(await unrecorded(workspace)).toMatchObject({
      objects: [{ key, workspace_id: workspace.id, workspace_known: true }],
      more: false,
    });
    const strange = `${newId('workspace')}/${newId('snapshot')}.1.tar.br`;
    mkdirSync(dirname(pathOf(strange)));
    writeFileSync(pathOf(strange), '');
    expect((await unrecorded()).objects).toContainEqual(expect.objectContaining({ key: strange, workspace_known: false }));
    expect((await unrecorded()).objects.map((each) => each.key)).toContain(key);

    expect(await adopt(key)).toMatchObject({ problem: null, snapshot: { id, workspace_id: workspace.id, entries: 4 } });
    expect(await unrecorded(workspace)).toEqual({ objects: [], more: false });
    expect(await world.events(workspace.id, 'reprise.snapshot.adopted.v1')).toMatchObject([{ data: { snapshot_id: id } }]);
    // Once more is the same once.
    expect(await adopt(key)).toMatchObject({ problem: null, snapshot: { id } });
    expect(await world.events(workspace.id, 'reprise.snapshot.adopted.v1')).toHaveLength(1);

    expect((await workspace.create(replica)).data).toMatchObject({ state_from: id, snapshot_id: id });
    expect(await world.sh(workspace.id, 'cat file')).toBe('newer\n');
  });

  it('of an older version has gzip, and a key without an id', async () => {
    const { workspace, key } = await restored();
    const old = `${workspace.id}/3.1.tar.gz`;
    const { brotliDecompressSync, gzipSync } = await import('node:zlib');
    writeFileSync(pathOf(old), gzipSync(brotliDecompressSync(readFileSync(pathOf(key)))));
    const { snapshot } = await adopt(old);
    expect(snapshot).toMatchObject({ id: expect.stringMatching(/^snap_/), entries: 4 });
    expect((await workspace.create(replica)).data).toMatchObject({ snapshot_id: snapshot!.id });
    expect(await world.sh(workspace.id, 'cat file')).toBe('newer\n');
  });

  it.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ['is cut off', (bytes) => bytes.subarray(0, -5), /corrupt: .*not whole, or not of the encoding br/],
    ['is something else', () => randomBytes(5_000), /corrupt: /],
    ['is empty', () => Buffer.alloc(0), /corrupt: /],
  ])('is refused where it %s, and stays an orphan', async (_, change, problem) => {
    const { workspace, key } = await restored();
    writeFileSync(pathOf(key), change(readFileSync(pathOf(key))));
    expect(await adopt(key)).toEqual({ snapshot: null, problem: expect.stringMatching(problem) });
    expect((await unrecorded(workspace)).objects).toHaveLength(1);
    expect((await workspace.create(replica)).data).toMatchObject({ state_from: (await rows(workspace))[0]!.id });
    expect(await world.sh(workspace.id, 'cat file')).toBe('older\n');
  });

  it('is refused where it is gone, has no such key, is of nobody, or its workspace has a pod', async () => {
    const { workspace, key } = await restored();
    const strange = `${newId('workspace')}/${newId('snapshot')}.1.tar.br`;
    for (const [wrong, problem] of [
      [key.replace('.1.tar', '.7.tar'), /^missing: there is no object/],
      ['../../etc/passwd', /not the key of a snapshot/],
      [strange, /no workspace ws_\w+ is on record/],
    ] as const)
      expect(await adopt(wrong)).toEqual({ snapshot: null, problem: expect.stringMatching(problem) });
    await workspace.create(replica);
    expect(await adopt(key)).toEqual({ snapshot: null, problem: expect.stringMatching(/has a pod, of generation 4; stop it first/) });
    expect((await rows(workspace)).filter(({ key: other }) => other === key)).toEqual([]);
  });

  it('stays where the retention comes while it is adopted, and also where the adoption ended half way', async () => {
    const { workspace, key, id } = await restored();
    age(key);
    expect(await replica.get(AdoptionRepository).begin({ id, workspaceId: workspace.id, key })).toMatchObject({ id });
    expect((await unrecorded(workspace)).objects).toHaveLength(1);
    expect(await replica.get(Retention).pass()).toMatchObject({ orphans: 0 });
    expect(existsSync(pathOf(key))).toBe(true);
    expect(await adopt(key)).toMatchObject({ problem: null, snapshot: { id } });
    expect(await rows(workspace)).toMatchObject([{ status: 'verified' }, { id, status: 'verified' }]);
  });

  it('stays where one of two adoptions fails: the other goes on with it', async () => {
    const { workspace, key, id } = await restored();
    age(key);
    const { store } = replica.get(Adoption) as unknown as { store: FaultyStore };
    const gate = new Gate();
    const [get, stat] = [store.get.bind(store), store.stat.bind(store)];
    store.get = async (wanted) => {
      await gate.pass();
      return get(wanted);
    };
    const first = adopt(key);
    await gate.reached;
    store.stat = () => Promise.reject(new SnapshotStoreError('io', 'a hiccup'));
    await expect(adopt(key)).rejects.toThrow('a hiccup');
    store.stat = stat;
    expect(await replica.get(Retention).pass()).toMatchObject({ orphans: 0 });
    gate.open();
    store.get = get;
    expect(await first).toMatchObject({ problem: null, snapshot: { id } });
    expect((await workspace.create(replica)).data).toMatchObject({ state_from: id });
  });

  it('that was begun and never finished is an orphan again after its time, counted from the last attempt', async () => {
    const { workspace, key, id } = await restored();
    age(key);
    const begin = () => replica.get(AdoptionRepository).begin({ id, workspaceId: workspace.id, key });
    const ago = (hours: number) =>
      world.database.query(`UPDATE snapshots SET created_at = now() - make_interval(hours => $2) WHERE id = $1`, [id, hours]);
    await begin();
    await ago(25);
    await begin();
    expect(await replica.get(Retention).pass()).toMatchObject({ orphans: 0, snapshots: 0 });
    expect(existsSync(pathOf(key))).toBe(true);
    await ago(25);
    expect(await replica.get(Retention).pass()).toMatchObject({ orphans: 1 });
    expect(existsSync(pathOf(key))).toBe(false);
  });

  it('becomes the newest once more where another was adopted since, and not while there is a pod', async () => {
    const { workspace, key, id } = await restored();
    const [older] = await rows(workspace);
    await adopt(key);
    // Another whole snapshot in the place of a recorded one is not that one.
    const own = readFileSync(pathOf(older!.key));
    writeFileSync(pathOf(older!.key), readFileSync(pathOf(key)));
    expect(await adopt(older!.key)).toEqual({ snapshot: null, problem: `corrupt: it is not the object of ${older!.id}` });
    writeFileSync(pathOf(older!.key), own);
    expect(await adopt(older!.key)).toMatchObject({ problem: null, snapshot: { id: older!.id } });
    await adopt(key);
    expect(await world.events(workspace.id, 'reprise.snapshot.adopted.v1')).toHaveLength(3);
    expect((await workspace.create(replica)).data).toMatchObject({ state_from: id });
    expect(await adopt(older!.key)).toMatchObject({ snapshot: null, problem: expect.stringMatching(/stop it first/) });
  });

  it('is not adopted once the retention has marked it', async () => {
    const { workspace, key } = await restored();
    age(key);
    const { store } = replica.get(Retention) as unknown as { store: { delete: (key: string) => Promise<void> } };
    const remove = store.delete.bind(store);
    let answer: unknown;
    store.delete = async (deleted) => {
      if (deleted === key) answer = await adopt(key);
      return remove(deleted);
    };
    try {
      expect(await replica.get(Retention).pass()).toMatchObject({ orphans: 1 });
    } finally {
      store.delete = remove;
    }
    expect(answer).toEqual({ snapshot: null, problem: expect.stringMatching(/^snapshot snap_\w+, which is deleting, has it$/) });
    expect(existsSync(pathOf(key))).toBe(false);
    expect(await rows(workspace)).toHaveLength(1);
  });

  it('is another than the one on record where both have the same id', async () => {
    const { workspace, key, id } = await restored();
    const other = key.replace('.1.tar', '.2.tar');
    await adopt(key);
    renameSync(pathOf(key), pathOf(other));
    const { snapshot } = await adopt(other);
    expect(snapshot!.id).not.toBe(id);
    expect(await rows(workspace)).toHaveLength(3);
  });
});
