import { JobsRepository } from '../../src/jobs/jobs.repository';
import { JobsService } from '../../src/jobs/jobs.service';
import { faultyDriver, faultyStore, Gate } from './support/faults';
import { Replica } from './support/replica';
import { waitFor } from './support/wait-for';
import { aMessage, Workspace, World } from './support/world';

describe('several replicas', () => {
  let world: World;
  const replicas: Replica[] = [];

  beforeAll(async () => {
    world = await World.make();
  });

  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
  });

  afterAll(async () => world?.end());

  async function start(...given: Parameters<typeof Replica.start> extends [World, ...infer Rest] ? Rest : never): Promise<Replica> {
    const replica = await Replica.start(world, ...given);
    replicas.push(replica);
    return replica;
  }

  async function workspaceWithFile(replica: Replica): Promise<Workspace> {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo kept > file');
    return workspace;
  }

  it('share the work: each job is run once, and no workspace has two pods', async () => {
    const [first] = [await start(), await start(), await start()];
    const workspaces = Array.from({ length: 6 }, () => new Workspace(world));
    await Promise.all(workspaces.map((workspace) => workspace.create(first)));
    await Promise.all(workspaces.map((workspace) => workspace.replace(first)));
    for (const workspace of workspaces) {
      expect(await world.alive(workspace.id)).toMatchObject([{ generation: 2 }]);
      expect(await world.events(workspace.id, 'reprise.pod.ready.v1')).toHaveLength(2);
      expect(await world.journal(workspace.id, 2)).toHaveLength(7);
    }
  });

  it('a worker that hangs through its lease writes nothing afterwards: its successor’s run is the only one that counts', async () => {
    const gate = new Gate();
    const slow = await start({ store: faultyStore(world.store, 'put', () => gate.pass()) });
    const workspace = await workspaceWithFile(slow);
    await slow.get(JobsService).replace(workspace.replaceCommand(), aMessage());
    await gate.reached;
    slow.hang();
    await world.expireLeases();
    const other = await start();
    expect((await workspace.ended()).type).toBe('reprise.pod.ready.v1');
    // The late one finishes its snapshot now, under a key of its own.
    slow.jobs.hangs = false;
    gate.open();
    await waitFor(async () => (await other.get(JobsRepository).claim('nobody', 1, 1, 1)).length === 0, 'the end of all work');
    expect(await world.journal(workspace.id, 2)).toEqual([
      'quiesce 1 succeeded',
      'snapshot 1 failed',
      'snapshot 2 succeeded',
      'verify 1 succeeded',
      'teardown 1 succeeded',
      'create 1 succeeded',
      'restore 1 succeeded',
      'ready 1 succeeded',
    ]);
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 2 }]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
    await workspace.remove(other);
    expect((await workspace.create(other)).type).toBe('reprise.pod.ready.v1');
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('one that is told to stop in the middle of a step gives the job back at once', async () => {
    const gate = new Gate();
    const env = { SHUTDOWN_TIMEOUT_SECONDS: '1' };
    const stopping = await Replica.start(world, { env, store: faultyStore(world.store, 'put', () => gate.pass()) });
    const workspace = await workspaceWithFile(stopping);
    await stopping.get(JobsService).replace(workspace.replaceCommand(), aMessage());
    await gate.reached;
    await stopping.stop();
    gate.open();
    await start();
    expect((await workspace.ended()).type).toBe('reprise.pod.ready.v1');
    expect((await world.journal(workspace.id, 2)).filter((line) => line.startsWith('snapshot'))).toEqual([
      'snapshot 1 failed',
      'snapshot 2 succeeded',
    ]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('one that is told to stop finishes the step in hand and lets the next one to another', async () => {
    const gate = new Gate();
    const stopping = await Replica.start(world, { store: faultyStore(world.store, 'put', () => gate.pass()) });
    const workspace = await workspaceWithFile(stopping);
    await stopping.get(JobsService).replace(workspace.replaceCommand(), aMessage());
    await gate.reached;
    const stopped = stopping.stop();
    gate.open();
    await stopped;
    expect(await world.journal(workspace.id, 2)).toEqual(['quiesce 1 succeeded', 'snapshot 1 succeeded']);
    await start();
    expect((await workspace.ended()).type).toBe('reprise.pod.ready.v1');
    expect(await world.journal(workspace.id, 2)).toHaveLength(7);
  });

  it('a command delivered three times, to three replicas, is one job; so is one with the same generation under another id', async () => {
    const all = [await start(), await start(), await start()];
    const workspace = new Workspace(world);
    const command = workspace.createCommand();
    const message = aMessage();
    await Promise.all(all.map((replica) => replica.get(JobsService).create(command, message)));
    await all[0]!.get(JobsService).create(command, aMessage());
    await workspace.ended();
    const jobs = await world.database.query('SELECT * FROM jobs WHERE workspace_id = $1', [workspace.id]);
    expect(jobs).toHaveLength(1);
    expect(await world.alive(workspace.id)).toHaveLength(1);
  });

  it('a command of an older generation has no effect, whenever it comes', async () => {
    const replica = await start();
    const workspace = await workspaceWithFile(replica);
    const late = workspace.replaceCommand();
    expect((await workspace.replace(replica)).data.generation).toBe(3);
    await replica.get(JobsService).replace(late, aMessage());
    expect(await world.database.query('SELECT generation FROM jobs WHERE workspace_id = $1 ORDER BY 1', [workspace.id])).toEqual([
      { generation: 1 },
      { generation: 3 },
    ]);
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 3 }]);
  });

  it('an operation that is superseded while its pod is made makes none: the newer one goes on from the snapshot', async () => {
    const gate = new Gate();
    const replica = await start({ driver: faultyDriver(world.driver, 'remove', () => gate.pass()) });
    const workspace = await workspaceWithFile(replica);
    const jobs = replica.get(JobsService);
    await jobs.replace(workspace.replaceCommand(), aMessage());
    await gate.reached;
    await jobs.create(workspace.createCommand(), aMessage());
    gate.open();
    expect((await workspace.ended()).type).toBe('reprise.pod.ready.v1');
    expect((await world.outcome(workspace.id, 2)).data).toMatchObject({ pod_kept: false, snapshot_id: expect.stringMatching(/^snap_/) });
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 3 }]);
    expect((await world.podRows(workspace.id)).map((row) => row.status)).not.toContain('creating');
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });
});
