import { FenceCheck } from '../../src/reconciler/fence-check.service';
import { Reconciler } from '../../src/reconciler/reconciler.service';
import { faultyDriver } from './support/faults';
import { Replica } from './support/replica';
import { Workspace, World } from './support/world';

const TABLES = ['fences', 'jobs', 'job_steps', 'pods', 'snapshots'] as const;

describe('a database that was restored to an earlier state', () => {
  let world: World;
  let replica: Replica | undefined;

  beforeAll(async () => {
    world = await World.make();
  });
  beforeEach(async () => {
    replica = await Replica.start(world);
  });
  afterEach(() => replica?.stop());
  afterAll(() => world?.end());

  async function backup(): Promise<Record<string, unknown[]>> {
    const rows: [string, unknown[]][] = [];
    for (const table of TABLES) rows.push([table, await world.database.query(`SELECT * FROM ${table}`)]);
    return Object.fromEntries(rows);
  }

  /** The services are stopped meanwhile, as the documents say. */
  async function restored(saved: Record<string, unknown[]>, options: Parameters<typeof Replica.start>[1] = {}): Promise<Replica> {
    await replica!.stop();
    await world.database.query(`TRUNCATE ${TABLES.join(', ')}`);
    for (const table of TABLES) {
      await world.database.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`, [
        JSON.stringify(saved[table]),
      ]);
    }
    return (replica = await Replica.start(world, options));
  }

  const fencesTold = async ({ id }: Workspace) => (await world.events(id, 'reprise.pod.fence-found.v1')).map(({ data }) => data.generation);

  it('goes on from the generations that the driver knows: the first resume succeeds, and saves the pod of that time', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica!);
    await world.sh(workspace.id, 'echo older > file');
    await workspace.replace(replica!);
    const saved = await backup();
    await world.sh(workspace.id, 'echo newer > file');
    for (let n = 0; n < 3; n += 1) await workspace.replace(replica!);
    expect(workspace.podGeneration).toBe(5);

    const after = await restored(saved);
    expect(await fencesTold(workspace)).toEqual([5]);
    expect(await world.podRows(workspace.id)).toContainEqual({ generation: 5, status: 'live' });
    // The pod that the backup knew is gone, and told so; the one of later stays.
    expect(await world.events(workspace.id, 'reprise.pod.lost.v1')).toMatchObject([{ data: { pod_generation: 2 } }]);
    expect((await after.get(Reconciler).pass())!.filter(({ pod }) => pod.workspaceId === workspace.id)).toEqual([]);
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 5 }]);

    expect((await workspace.create(after)).type).toBe('reprise.pod.ready.v1');
    expect(workspace.podGeneration).toBe(6);
    expect(await world.sh(workspace.id, 'cat file')).toBe('newer\n');
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 6 }]);
  });

  it('saves what a dead pod of later left, too', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica!);
    const saved = await backup();
    await workspace.replace(replica!);
    await world.sh(workspace.id, 'echo newer > file');
    await world.kill(workspace.id);

    const after = await restored(saved);
    expect(await world.podRows(workspace.id)).toContainEqual({ generation: 2, status: 'lost' });
    expect((await workspace.create(after)).data).toMatchObject({ state_from: 'salvage' });
    expect(await world.sh(workspace.id, 'cat file')).toBe('newer\n');
  });

  it('goes back to the last snapshot of the backup where nothing is left of later', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica!);
    await world.sh(workspace.id, 'echo older > file');
    await workspace.remove(replica!);
    const saved = await backup();
    await workspace.create(replica!);
    await world.sh(workspace.id, 'echo newer > file');
    await workspace.remove(replica!);

    const after = await restored(saved);
    expect(await fencesTold(workspace)).toEqual([3]);
    expect((await workspace.create(after)).type).toBe('reprise.pod.ready.v1');
    expect(workspace.podGeneration).toBe(5);
    expect(await world.sh(workspace.id, 'cat file')).toBe('older\n');
  });

  it('is found out once, and by the next comparison where the driver was away', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica!);
    const saved = await backup();
    await workspace.replace(replica!);
    let isAway = true;
    const driver = faultyDriver(world.driver, 'fences', () => {
      if (isAway) throw new Error('the engine is away');
    });
    const after = await restored(saved, { driver });
    expect(await fencesTold(workspace)).toEqual([]);
    isAway = false;
    await after.get(Reconciler).pass();
    expect(await fencesTold(workspace)).toEqual([2]);
    expect(await after.get(FenceCheck).run()).toBe(0);
    await after.stop();
    replica = await Replica.start(world);
    expect(await fencesTold(workspace)).toEqual([2]);
  });
});
