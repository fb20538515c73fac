import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newId } from '@reprise/contracts';
import { JobsService } from '../../src/jobs/jobs.service';
import { Retention } from '../../src/retention/retention.service';
import { faultyStore, Gate } from './support/faults';
import { Replica } from './support/replica';
import { aMessage, Workspace, World } from './support/world';

describe('the retention', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
    replica = await Replica.start(world, { env: { SNAPSHOTS_KEPT: '2' } });
  });

  afterAll(async () => {
    await replica?.stop();
    await world?.end();
  });

  const pass = () => replica.get(Retention).pass();

  const generations = async (workspace: Workspace): Promise<number[]> =>
    (
      await world.database.query<{ generation: number }[]>(
        `SELECT generation FROM snapshots WHERE workspace_id = $1 AND status = 'verified' ORDER BY generation`,
        [workspace.id],
      )
    ).map(({ generation }) => generation);

  /** What the objects of its snapshots are called. */
  const keys = async ({ id }: Workspace): Promise<string[]> =>
    (await world.database.query<{ key: string }[]>(`SELECT key FROM snapshots WHERE workspace_id = $1 ORDER BY key`, [id])).map(
      ({ key }) => key.split('/')[1]!,
    );

  const objects = (workspace: Workspace): string[] => readdirSync(join(world.snapshotsDir, workspace.id)).sort();

  /** An object of two days ago. */
  function object(key: string): string {
    const path = join(world.snapshotsDir, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
    const then = Date.now() / 1000 - 2 * 86_400;
    utimesSync(path, then, then);
    return path;
  }

  it('keeps the newest verified snapshots of a workspace, and the workspace resumes from the newest', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo kept > file');
    for (let restart = 0; restart < 3; restart += 1) await workspace.replace(replica);
    await workspace.remove(replica);
    expect(await generations(workspace)).toEqual([2, 3, 4, 5]);
    expect(await pass()).toMatchObject({ snapshots: 2 });
    expect(await generations(workspace)).toEqual([4, 5]);
    expect(objects(workspace)).toEqual(await keys(workspace));
    expect(objects(workspace)).toHaveLength(2);
    expect(await pass()).toMatchObject({ snapshots: 0, orphans: 0 });
    await workspace.create(replica);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('keeps a snapshot for as long as it is told to after newer ones took its place, and the newest ones whatever their age', async () => {
    const keeping = await Replica.start(world, { env: { SNAPSHOTS_KEPT: '2', SNAPSHOTS_KEPT_HOURS: '48' }, hangs: true });
    const workspace = new Workspace(world);
    await workspace.create(replica);
    for (let restart = 0; restart < 5; restart += 1) await workspace.replace(replica);
    const age = (hours: number, ...generations: number[]) =>
      world.database.query(
        `UPDATE snapshots SET verified_at = now() - make_interval(hours => $3) WHERE workspace_id = $1 AND generation = ANY ($2)`,
        [workspace.id, generations, hours],
      );
    expect(await generations(workspace)).toEqual([2, 3, 4, 5, 6]);
    // Old they are all, but until an hour ago a backup that was made then names them.
    await age(1_000, 2, 3, 4);
    await age(47, 5);
    await age(1, 6);
    expect(await keeping.get(Retention).pass()).toMatchObject({ snapshots: 1 });
    expect(await generations(workspace)).toEqual([3, 4, 5, 6]);
    await age(49, 5);
    expect(await keeping.get(Retention).pass()).toMatchObject({ snapshots: 1 });
    expect(await generations(workspace)).toEqual([4, 5, 6]);
    await age(1_000, 5, 6);
    expect(await keeping.get(Retention).pass()).toMatchObject({ snapshots: 1 });
    expect(await generations(workspace)).toEqual([5, 6]);
    await keeping.stop();
  });

  it('keeps the snapshot that the last job came from, however many are newer', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo old > file');
    const { data } = await workspace.remove(replica);
    const [old] = await world.database.query(`SELECT id FROM snapshots WHERE workspace_id = $1`, [workspace.id]);
    expect(data.snapshot_id).toBe(old.id);
    await workspace.create(replica, old.id);
    // Newer ones that nobody came from, such as of jobs that gave up after they had saved.
    await world.database.query(
      `INSERT INTO snapshots (id, workspace_id, generation, status, key, tar_sha256)
       SELECT 'snap_' || n || $1, $1, n, 'verified', $1 || '/' || n || '.9.tar.br', '' FROM generate_series(11, 13) n`,
      [workspace.id],
    );
    expect(await generations(workspace)).toEqual([2, 11, 12, 13]);
    expect(await pass()).toMatchObject({ snapshots: 1 });
    expect(await generations(workspace)).toEqual([2, 12, 13]);
  });

  it('deletes nothing of a workspace that a job works at', async () => {
    const gate = new Gate();
    const workspace = new Workspace(world);
    await workspace.create(replica);
    for (let restart = 0; restart < 3; restart += 1) await workspace.replace(replica);
    await replica.stop();
    const slow = await Replica.start(world, {
      store: faultyStore(world.store, 'get', () => gate.pass()),
      env: { SNAPSHOTS_KEPT: '2' },
    });
    await slow.get(JobsService).remove(workspace.removeCommand(), aMessage());
    await gate.reached;
    const orphan = object(`${workspace.id}/1.1.tar.br`);
    expect(await slow.get(Retention).pass()).toMatchObject({ snapshots: 0, orphans: 0 });
    expect(await generations(workspace)).toEqual([2, 3, 4]);
    gate.open();
    await workspace.ended();
    expect(await slow.get(Retention).pass()).toMatchObject({ snapshots: 2, orphans: 1 });
    expect(await generations(workspace)).toEqual([4, 5]);
    expect(existsSync(orphan)).toBe(false);
    await slow.stop();
    replica = await Replica.start(world, { env: { SNAPSHOTS_KEPT: '2' } });
  });

  it('goes on where it was interrupted between the mark and the object', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await workspace.remove(replica);
    await world.database.query(`UPDATE snapshots SET status = 'deleting' WHERE workspace_id = $1`, [workspace.id]);
    expect(await pass()).toMatchObject({ snapshots: 1 });
    expect(existsSync(join(world.snapshotsDir, workspace.id))).toBe(false);
  });

  it('deletes objects that no snapshot refers to once they are old, and nothing that it does not know', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await workspace.remove(replica);
    const old = [object(`${workspace.id}/2.7.tar.br`), object(`${workspace.id}/2.6.tar.gz`)];
    const fresh = join(world.snapshotsDir, workspace.id, '2.8.tar.br');
    writeFileSync(fresh, 'x');
    const strangers = [object(`${newId('workspace')}/1.1.tar.br`), object('backup/notes.txt')];
    expect(await pass()).toMatchObject({ orphans: 2 });
    expect([...old, fresh, ...strangers].map((path) => existsSync(path))).toEqual([false, false, true, true, true]);
    expect(objects(workspace)).toEqual(expect.arrayContaining(await keys(workspace)));
  });

  it('forgets snapshots that were never finished, ended jobs and gone pods after their time, and keeps the fence', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await workspace.remove(replica);
    await world.database.query(
      `INSERT INTO snapshots (id, workspace_id, generation, status, key, created_at) VALUES ($1, $2, 9, 'writing', $3, now() - interval '2 days')`,
      [newId('snapshot'), workspace.id, `${workspace.id}/9.1.tar.br`],
    );
    expect(await pass()).toMatchObject({ snapshots: 1, jobs: 0, pods: 0 });
    await world.database.query(`UPDATE jobs SET finished_at = now() - interval '31 days' WHERE workspace_id = $1`, [workspace.id]);
    await world.database.query(`UPDATE pods SET updated_at = now() - interval '31 days' WHERE workspace_id = $1`, [workspace.id]);
    expect(await pass()).toMatchObject({ jobs: 2, pods: 1 });
    expect(await world.podRows(workspace.id)).toEqual([]);
    const [fence] = await world.database.query(`SELECT generation FROM fences WHERE workspace_id = $1`, [workspace.id]);
    expect(fence).toEqual({ generation: 2 });
    expect((await workspace.create(replica)).type).toBe('reprise.pod.ready.v1');
  });
});
