import { PodError } from '../../src/pods/pod-driver';
import { SnapshotStoreError } from '../../src/snapshots/snapshot-store';
import { faultyDriver, faultyStore } from './support/faults';
import { Replica, type ReplicaOptions } from './support/replica';
import { waitFor } from './support/wait-for';
import { Workspace, World } from './support/world';

const STEPS = ['salvage', 'snapshot', 'verify', 'teardown', 'create', 'restore', 'ready'];

describe('a workspace whose pod was lost', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
  });
  afterEach(async () => replica.stop());
  afterAll(async () => world?.end());

  /** A workspace with a snapshot of one file, and one that was written since; its agent is dead. */
  async function lost(options: ReplicaOptions = {}, { isLarge = false } = {}): Promise<Workspace> {
    const healthy = await Replica.start(world);
    const workspace = new Workspace(world);
    await workspace.create(healthy);
    await world.sh(workspace.id, 'echo first > file');
    await workspace.replace(healthy);
    await world.sh(workspace.id, 'echo second >> file; (while :; do echo x >> stray; sleep 0.02; done) & echo');
    // More than fits on its way: who is killed while it is sent has not sent all of it.
    if (isLarge) await world.sh(workspace.id, 'head -c 24000000 /dev/urandom > large');
    await world.kill(workspace.id);
    await healthy.stop();
    replica = await Replica.start(world, options);
    return workspace;
  }

  async function mended(): Promise<void> {
    await replica.stop();
    replica = await Replica.start(world);
  }

  const steps = async ({ id, generation }: Workspace): Promise<string[]> =>
    (await world.journal(id, generation)).map((line) => line.split(' ')[0]!);

  it('is resumed with what the pod left, to the last byte, and says so', async () => {
    const workspace = await lost();
    const ready = await workspace.create(replica);
    expect(ready).toMatchObject({
      type: 'reprise.pod.ready.v1',
      data: { state_from: 'salvage', snapshot_id: expect.stringMatching(/^snap_/) },
    });
    expect(ready.data).not.toHaveProperty('state_lost');
    expect(await steps(workspace)).toEqual(STEPS);
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\nsecond\n');
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 3 }]);
    expect((await world.podRows(workspace.id)).map(({ status }) => status)).toEqual(['gone', 'gone', 'live']);
    const restored = (await world.events(workspace.id)).findLast(({ data }) => data.step === 'restore' && data.status === 'succeeded');
    expect(restored?.data.detail).toMatch(/state: salvaged from pod 2, from snapshot snap_\w+ of 20\d\d-\d\d-\d\dT/);
    const history = await (await world.agentOf(workspace.id)).history();
    expect(history).toContain('second');
  });

  it('is told by its operation from which snapshot it goes on, and why, where the pod left nothing', async () => {
    const workspace = await lost();
    world.loseFiles(workspace.id, 2);
    const ready = await workspace.create(replica);
    expect(ready.data).toMatchObject({
      state_from: expect.stringMatching(/^snap_/),
      state_lost: expect.stringMatching(/^Pod 2 was lost.* The state is that of snapshot snap_\w+ of 20\d\d-/),
    });
    expect(ready.data.state_from).toBe(ready.data.snapshot_id);
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\n');
    expect((await workspace.replace(replica)).data).not.toHaveProperty('state_lost');
  });

  it('is told so also after a resume that failed in between', async () => {
    let fails = true;
    const driver = faultyDriver(world.driver, 'create', () => {
      if (fails) throw new PodError('denied', 'no more processes');
    });
    const workspace = await lost({ driver });
    world.loseFiles(workspace.id, 2);
    expect(await workspace.create(replica)).toMatchObject({ data: { code: 'create_failed' } });
    fails = false;
    expect((await workspace.create(replica)).data).toMatchObject({ state_lost: expect.stringContaining('Pod 2 was lost') });
  });

  it.each<[string, string, ReplicaOptions]>([
    ['cannot be opened', 'salvage', { driver: undefined }],
    ['does not fit into the store', 'snapshot', {}],
    ['cannot be read back', 'verify', {}],
  ])('is not resumed from an older state where what the pod left %s: that is kept, and saved once it can be', async (_why, step) => {
    const denied = (): never => {
      throw new SnapshotStoreError('denied', 'not now');
    };
    const options: Record<string, ReplicaOptions> = {
      salvage: {
        driver: faultyDriver(world.driver, 'salvage', () => {
          throw new PodError('denied', 'not now');
        }),
      },
      snapshot: { store: faultyStore(world.store, 'put', denied) },
      verify: { store: faultyStore(world.store, 'get', denied) },
    };
    const workspace = await lost(options[step]);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect((await workspace.create(replica)).data).toMatchObject({ pod_kept: false, step, code: 'salvage_failed' });
      expect(await steps(workspace)).not.toContain('teardown');
    }
    await mended();
    expect((await workspace.create(replica)).data).toMatchObject({ snapshot_id: expect.stringMatching(/^snap_/) });
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\nsecond\n');
  });

  it('goes on from the last snapshot where that is asked for, and what the pod left is discarded', async () => {
    const workspace = await lost({
      store: faultyStore(world.store, 'put', () => Promise.reject(new SnapshotStoreError('denied', 'full'))),
    });
    expect((await workspace.create(replica)).data).toMatchObject({ code: 'salvage_failed' });
    const ready = await workspace.create(replica, null, { from_snapshot: true });
    expect(ready.data).toMatchObject({ state_from: expect.stringMatching(/^snap_/), state_lost: expect.stringContaining('discarded') });
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\n');
    expect(await world.driver.list()).not.toContainEqual(expect.objectContaining({ workspaceId: workspace.id, generation: 2 }));
  });

  it('is saved also where its agent lives and does not answer', async () => {
    const healthy = await Replica.start(world);
    const workspace = new Workspace(world);
    await workspace.create(healthy);
    await world.sh(workspace.id, 'echo kept > file');
    await healthy.stop();
    const [pod] = await world.alive(workspace.id);
    process.kill(Number(pod!.ref!.replace('pid ', '')), 'SIGSTOP');
    replica = await Replica.start(world);
    expect((await workspace.create(replica)).data).toMatchObject({ state_from: 'salvage' });
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  }, 120_000);

  it('is saved although the agent that serves its files is killed while they are', async () => {
    let kills = 1;
    const store = faultyStore(world.store, 'put', async () => {
      if (kills-- <= 0) return;
      const [open] = await world.alive(victim);
      process.kill(Number(open!.ref!.replace('pid ', '')), 'SIGKILL');
      await waitFor(async () => (await world.alive(victim)).length === 0, 'the death of the agent that salvages');
    });
    let victim = '';
    const workspace = await lost({ store }, { isLarge: true });
    victim = workspace.id;
    expect((await workspace.create(replica)).data).toMatchObject({ state_from: 'salvage' });
    expect((await world.journal(workspace.id, workspace.generation)).filter((line) => line.startsWith('snapshot'))).toEqual([
      'snapshot 1 failed',
      'snapshot 2 succeeded',
    ]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\nsecond\n');
  });
});
