import { execFileSync } from 'node:child_process';
import { Checkpoints } from '../../src/checkpoints/checkpoints.service';
import { Retention } from '../../src/retention/retention.service';
import { SnapshotStoreError } from '../../src/snapshots/snapshot-store';
import { faultyStore, Gate } from './support/faults';
import { Replica, type ReplicaOptions } from './support/replica';
import { waitFor } from './support/wait-for';
import { aMessage, type EventRow, Workspace, World } from './support/world';

const TAKEN = 'reprise.pod.checkpointed.v1';

describe('a checkpoint', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
  });
  afterEach(async () => replica.stop());
  afterAll(async () => world?.end());

  async function started(options: ReplicaOptions = {}): Promise<Workspace> {
    replica = await Replica.start(world, options);
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo first > file');
    return workspace;
  }

  function begin({ id, podGeneration }: Workspace): void {
    replica.get(Checkpoints).begin({ workspace_id: id, pod_generation: podGeneration }, aMessage());
  }

  async function taken(workspace: Workspace): Promise<EventRow> {
    const before = (await world.events(workspace.id, TAKEN)).length;
    begin(workspace);
    return waitFor(async () => (await world.events(workspace.id, TAKEN))[before], 'the checkpoint');
  }

  const snapshots = ({ id }: Workspace): Promise<{ id: string; generation: number; reason: string; status: string }[]> =>
    world.database.query(`SELECT id, generation, reason, status FROM snapshots WHERE workspace_id = $1 ORDER BY seq`, [id]);

  /** The kernel's letters for the processes of this name that a task left. */
  const statesOf = (name: string): string[] =>
    execFileSync('sh', ['-c', `ps -eo stat=,args= | grep "[${name[0]}]${name.slice(1)}" || true`])
      .toString()
      .trim()
      .split('\n')
      .map((line) => line[0]!);

  it('is what a lost pod is resumed from whose files are gone, and it raised no generation', async () => {
    const workspace = await started();
    const { data } = await taken(workspace);
    expect(data).toMatchObject({ pod_generation: 1, snapshot_id: expect.stringMatching(/^snap_/), in_background: 0 });
    await world.sh(workspace.id, 'echo second >> file');
    const { data: second } = await taken(workspace);
    expect(await snapshots(workspace)).toMatchObject([
      { generation: 1, reason: 'checkpoint', status: 'verified' },
      { id: second.snapshot_id, generation: 1, reason: 'checkpoint', status: 'verified' },
    ]);
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 1 }]);
    await world.sh(workspace.id, 'echo third >> file');
    await world.kill(workspace.id);
    world.loseFiles(workspace.id, 1);
    expect((await workspace.create(replica)).data).toMatchObject({ generation: 2, state_from: second.snapshot_id });
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\nsecond\n');
  });

  it('is older than the restart after it, and newer than the one before', async () => {
    const workspace = await started();
    await workspace.replace(replica);
    await world.sh(workspace.id, 'echo second >> file');
    await taken(workspace);
    await world.sh(workspace.id, 'echo third >> file');
    await workspace.replace(replica);
    expect((await snapshots(workspace)).map(({ reason }) => reason)).toEqual(['restart', 'checkpoint', 'restart']);
    await world.kill(workspace.id);
    world.loseFiles(workspace.id, 3);
    await workspace.create(replica);
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\nsecond\nthird\n');
  });

  it('freezes what runs in the background while it is taken, and lets it go on: nothing of it is ended', async () => {
    const gate = new Gate();
    const workspace = await started({ store: faultyStore(world.store, 'put', () => gate.pass()) });
    const name = `going-on-${workspace.id}`;
    await world.sh(
      workspace.id,
      `(while :; do : ${name}; echo x >> ticks; sleep 0.02; done) & sh -c 'while :; do sleep 0.02; done' ${name} & echo`,
    );
    begin(workspace);
    await gate.reached;
    expect(new Set(statesOf(name))).toEqual(new Set(['T']));
    gate.open();
    const event = await waitFor(async () => (await world.events(workspace.id, TAKEN))[0], 'the checkpoint');
    expect(event.data.in_background).toBeGreaterThan(0);
    await waitFor(() => statesOf(name).every((state) => state !== 'T'), 'the processes to go on');
    expect(statesOf(name).length).toBeGreaterThan(0);
  });

  it('gives way to a task, which runs at once and does not fail, and leaves nothing behind', async () => {
    const gate = new Gate();
    const workspace = await started({ store: faultyStore(world.store, 'put', () => gate.pass()) });
    await world.sh(workspace.id, 'head -c 24000000 /dev/urandom > large');
    begin(workspace);
    await gate.reached;
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\n');
    gate.open();
    await replica.get(Checkpoints).settled();
    expect(await snapshots(workspace)).toEqual([]);
    expect((await world.events(workspace.id)).filter(({ type }) => type.includes('checkpoint'))).toEqual([]);
  });

  it('gives way to a restart, which saves all of it', async () => {
    const gate = new Gate();
    let puts = 0;
    const workspace = await started({ store: faultyStore(world.store, 'put', () => (puts++ === 0 ? gate.pass() : undefined)) });
    await world.sh(workspace.id, 'head -c 24000000 /dev/urandom > large');
    begin(workspace);
    await gate.reached;
    expect(await workspace.replace(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
    gate.open();
    await replica.get(Checkpoints).settled();
    expect((await snapshots(workspace)).map(({ reason }) => reason)).toEqual(['restart']);
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\n');
  });

  it('that fails is told, and the pod goes on', async () => {
    const workspace = await started({
      store: faultyStore(world.store, 'put', () => Promise.reject(new SnapshotStoreError('no_space', 'full'))),
    });
    begin(workspace);
    await replica.get(Checkpoints).settled();
    expect(await world.events(workspace.id, 'reprise.pod.checkpoint-failed.v1')).toMatchObject([
      { data: { pod_generation: 1, message: 'checkpoint: no_space: full' } },
    ]);
    expect(await snapshots(workspace)).toEqual([]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('first\n');
  });

  it('of a pod that a job has, or that is not the live one, is not taken', async () => {
    const workspace = await started();
    replica.get(Checkpoints).begin({ workspace_id: workspace.id, pod_generation: 7 }, aMessage());
    await replica.get(Checkpoints).settled();
    expect(await snapshots(workspace)).toEqual([]);
  });

  it('is deleted once there is a newer snapshot, and counts for none of those that are kept', async () => {
    const workspace = await started({ env: { SNAPSHOTS_KEPT: '2' } });
    await workspace.replace(replica);
    await workspace.replace(replica);
    for (let n = 0; n < 3; n += 1) await taken(workspace);
    await replica.get(Retention).pass();
    expect((await snapshots(workspace)).map(({ reason }) => reason)).toEqual(['restart', 'restart', 'checkpoint']);
    await workspace.replace(replica);
    await replica.get(Retention).pass();
    expect((await snapshots(workspace)).map(({ reason }) => reason)).toEqual(['restart', 'restart']);
  });
});
