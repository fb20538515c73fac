import { SnapshotStoreError } from '../../src/snapshots/snapshot-store';
import { faultyStore } from './support/faults';
import { Replica } from './support/replica';
import { Workspace, World } from './support/world';

const WITHOUT = { without_snapshot: true };

describe('a remove without a snapshot', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
  });
  afterEach(async () => replica.stop());
  afterAll(async () => world?.end());

  /** A workspace with a snapshot of one file, which was written to since. */
  async function worked(): Promise<Workspace> {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo first > file');
    await workspace.replace(replica);
    await world.sh(workspace.id, 'echo second >> file');
    return workspace;
  }

  const snapshotsOf = ({ id }: Workspace): Promise<{ id: string }[]> =>
    world.database.query('SELECT id FROM snapshots WHERE workspace_id = $1 ORDER BY id', [id]);

  it('ends a pod that no step can save, in one step, and the workspace goes on from the snapshot before', async () => {
    replica = await Replica.start(world);
    const workspace = await worked();
    await replica.stop();
    const store = faultyStore(world.store, 'put', () => Promise.reject(new SnapshotStoreError('denied', 'full')));
    replica = await Replica.start(world, { store });
    expect((await workspace.remove(replica)).data).toMatchObject({ code: 'snapshot_failed', pod_kept: true });
    const before = await snapshotsOf(workspace);

    const removed = await workspace.remove(replica, WITHOUT);

    expect(removed).toMatchObject({
      type: 'reprise.pod.removed.v1',
      data: { snapshot_id: null, state_lost: expect.stringContaining('discarded') },
    });
    expect(await world.journal(workspace.id, workspace.generation)).toEqual(['teardown 1 succeeded']);
    expect(await snapshotsOf(workspace)).toEqual(before);
    expect(await world.alive(workspace.id)).toEqual([]);
    expect((await world.podRows(workspace.id)).map(({ status }) => status)).toEqual(['gone', 'gone']);
    const resumed = await workspace.create(replica);
    expect(resumed.data).toMatchObject({ state_from: expect.stringMatching(/^snap_/) });
    expect(resumed.data).not.toHaveProperty('state_lost');
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\n');
  });

  it('ends one whose agent is stopped in its tracks, with everything that it has begun', async () => {
    replica = await Replica.start(world);
    const workspace = await worked();
    await world.sh(workspace.id, '(exec sleep 1000) & echo');
    const [pod] = await world.alive(workspace.id);
    process.kill(Number(pod!.ref!.replace('pid ', '')), 'SIGSTOP');
    expect(await workspace.remove(replica, WITHOUT)).toMatchObject({ type: 'reprise.pod.removed.v1' });
    expect(await world.driver.inspect(pod!)).toBeNull();
  });

  it('removes what a lost pod left, too, whichever pod the command names', async () => {
    replica = await Replica.start(world);
    const workspace = await worked();
    const [lost] = await world.alive(workspace.id);
    await world.kill(workspace.id);
    expect(await workspace.remove(replica, { ...WITHOUT, pod_generation: 1 })).toMatchObject({ type: 'reprise.pod.removed.v1' });
    expect(await world.driver.inspect(lost!)).toBeNull();
    expect((await workspace.create(replica)).data).toMatchObject({ state_from: expect.stringMatching(/^snap_/) });
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\n');
  });

  it('leaves a workspace that has no snapshot with nothing', async () => {
    replica = await Replica.start(world);
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo lost > file');
    expect((await workspace.remove(replica, WITHOUT)).data).toMatchObject({ snapshot_id: null });
    expect((await workspace.create(replica)).data).toMatchObject({ state_from: 'empty' });
  });
});
