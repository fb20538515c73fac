import { Replica } from './support/replica';
import { Workspace, World } from './support/world';

const SAVE = ['quiesce 1 succeeded', 'snapshot 1 succeeded', 'verify 1 succeeded', 'teardown 1 succeeded'];
const MAKE = ['create 1 succeeded', 'restore 1 succeeded', 'ready 1 succeeded'];
const FILL = 'echo one > a.txt; mkdir -p dir/empty; ln -s a.txt link; printf two > dir/b; chmod 640 dir/b; chmod 700 dir';
const LOOK = 'find . -path ./.reprise -prune -o -printf "%p %y %m %s %l\\n" | sort; cat a.txt dir/b';

describe('the life of a pod', () => {
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

  it('a create makes one pod that takes tasks; a restart carries its files into another one; a stop and a resume carry them on', async () => {
    const workspace = new Workspace(world);
    const created = await workspace.create(replica);
    expect(created).toMatchObject({ type: 'reprise.pod.ready.v1', data: { generation: 1, role_version: 1, snapshot_id: null } });
    await world.sh(workspace.id, FILL);
    const before = await world.sh(workspace.id, LOOK);
    expect(before).toContain('./dir/b f 640 3');

    const restarted = await workspace.replace(replica);
    expect(restarted).toMatchObject({
      type: 'reprise.pod.ready.v1',
      data: { generation: 2, role_version: 2, snapshot_id: expect.stringMatching(/^snap_/) },
    });
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 2 }]);
    expect(await world.journal(workspace.id, 2)).toEqual([...SAVE, ...MAKE]);
    expect(await world.sh(workspace.id, LOOK)).toBe(before);

    const removed = await workspace.remove(replica);
    expect(removed).toMatchObject({
      type: 'reprise.pod.removed.v1',
      data: { generation: 3, snapshot_id: expect.stringMatching(/^snap_/) },
    });
    expect(await world.alive(workspace.id)).toEqual([]);
    expect(await world.journal(workspace.id, 3)).toEqual(SAVE);

    const resumed = await workspace.create(replica, removed.data.snapshot_id as string);
    expect(resumed).toMatchObject({ type: 'reprise.pod.ready.v1', data: { generation: 4, snapshot_id: removed.data.snapshot_id } });
    expect(await world.sh(workspace.id, LOOK)).toBe(before);
    expect(await world.podRows(workspace.id)).toEqual([
      { generation: 1, status: 'gone' },
      { generation: 2, status: 'gone' },
      { generation: 4, status: 'live' },
    ]);
  });

  it('tells each start and end of a step, in order, with the tenant, the correlation and the trace of the command', async () => {
    const workspace = new Workspace(world);
    const ready = await workspace.create(replica);
    const steps = (await world.events(workspace.id, 'reprise.pod.step-changed.v1')).map(({ data }) => [
      `${data.step} ${data.attempt} ${data.status}`,
      data.next,
    ]);
    expect(steps).toEqual([
      ['create 1 started', undefined],
      ['create 1 succeeded', { step: 'ready', attempt: 1 }],
      ['ready 1 succeeded', undefined],
    ]);
    expect(ready.properties.correlationId).toMatch(/^correlation of /);
    expect(ready.properties.headers).toMatchObject({
      cloudEvents_orgid: 'acme',
      cloudEvents_subject: workspace.id,
      cloudEvents_actor: 'alice',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
  });

  it('a restart ends the task that runs, and says which', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    const taskId = 'task_01k9zv6m3se4ht8v5y2q7n0xae';
    await (await world.agentOf(workspace.id)).runTask({ taskId, description: 'sleep 60' });
    await workspace.replace(replica);
    const ends = (await world.events(workspace.id)).filter(({ data }) => data.step === 'quiesce' && data.status === 'succeeded');
    expect(ends.map(({ data }) => data.interrupted_task_id)).toEqual([taskId]);
    expect(await (await world.agentOf(workspace.id)).history()).toContain('interrupted_by_restart');
  });
});
