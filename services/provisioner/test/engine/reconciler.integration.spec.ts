import { newId } from '@reprise/contracts';
import { JobsService } from '../../src/jobs/jobs.service';
import { ReconcilerRepository } from '../../src/reconciler/reconciler.repository';
import { Reconciler } from '../../src/reconciler/reconciler.service';
import { faultyStore, Gate } from './support/faults';
import { Replica } from './support/replica';
import { newSpec } from '../testing/workspaces';
import { aMessage, Workspace, World } from './support/world';

describe('the reconciler', () => {
  let world: World;
  let replica: Replica;
  /** What snapshots wait for before they are stored. */
  let gate: Gate | null = null;

  beforeAll(async () => {
    world = await World.make();
    const store = faultyStore(world.store, 'put', async () => gate?.pass());
    replica = await Replica.start(world, { store });
  });

  afterAll(async () => {
    await replica?.stop();
    await world?.end();
  });

  async function podOf(workspaceId: string, generation: number): Promise<void> {
    await world.driver.create(newSpec({ workspaceId, generation }));
  }

  /** What one pass finds of one workspace: the others' jobs go on beside it. */
  async function findingsOf(workspaceId: string): Promise<unknown[]> {
    const findings = await replica.get(Reconciler).pass();
    return findings!.filter(({ pod }) => pod.workspaceId === workspaceId);
  }

  it('leaves alone what is as it should be', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    expect(await findingsOf(workspace.id)).toEqual([]);
    expect(await world.alive(workspace.id)).toHaveLength(1);
  });

  it('reports a lost pod once, to the tenant, and keeps what it left until it is saved', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.kill(workspace.id);
    for (let pass = 0; pass < 3; pass += 1) await replica.get(Reconciler).pass();
    const lost = await world.events(workspace.id, 'reprise.pod.lost.v1');
    expect(lost).toMatchObject([
      { data: { workspace_id: workspace.id, pod_generation: 1 }, properties: { headers: { cloudEvents_orgid: 'acme' } } },
    ]);
    expect(await world.driver.list()).toContainEqual(expect.objectContaining({ workspaceId: workspace.id, phase: 'dead' }));
    expect(await world.podRows(workspace.id)).toEqual([{ generation: 1, status: 'lost' }]);
    await workspace.create(replica);
    await replica.get(Reconciler).pass();
    expect(await world.driver.list()).not.toContainEqual(expect.objectContaining({ workspaceId: workspace.id, generation: 1 }));
    expect((await world.podRows(workspace.id)).map(({ status }) => status)).toEqual(['gone', 'live']);
  });

  it('clears away a lost pod of which nothing is left to save, and remembers that', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.kill(workspace.id);
    await replica.get(Reconciler).pass();
    world.loseFiles(workspace.id, 1);
    await replica.get(Reconciler).pass();
    expect(await world.driver.list()).not.toContainEqual(expect.objectContaining({ workspaceId: workspace.id }));
    expect(await world.podRows(workspace.id)).toEqual([{ generation: 1, status: 'gone' }]);
    expect((await workspace.create(replica)).data).toMatchObject({
      state_from: 'empty',
      state_lost: expect.stringContaining('Pod 1 was lost'),
    });
  });

  it('removes a pod that nobody knows', async () => {
    const workspaceId = newId('workspace');
    await podOf(workspaceId, 1);
    expect(await findingsOf(workspaceId)).toMatchObject([{ do: 'remove', pod: { workspaceId } }]);
    expect(await world.alive(workspaceId)).toEqual([]);
  });

  it('removes a pod that was thought gone, and only that one', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    const other = new Workspace(world);
    await other.create(replica);
    await other.remove(replica);
    await world.database.query(`UPDATE pods SET status = 'gone' WHERE workspace_id = $1`, [workspace.id]);
    expect(await findingsOf(workspace.id)).toMatchObject([{ do: 'remove', pod: { workspaceId: workspace.id, generation: 1 } }]);
  });

  it('does not touch a pod that a job is working at', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    gate = new Gate();
    await replica.get(JobsService).remove(workspace.removeCommand(), aMessage());
    await gate.reached;
    await world.kill(workspace.id);
    expect(await findingsOf(workspace.id)).toEqual([]);
    expect(await world.events(workspace.id, 'reprise.pod.lost.v1')).toEqual([]);
    gate.open();
    await workspace.ended();
  });

  it('does not touch a pod whose job ended well while it looked', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    const record = (status: string) => world.database.query('UPDATE pods SET status = $2 WHERE workspace_id = $1', [workspace.id, status]);
    await record('creating');
    const records = replica.get(ReconcilerRepository);
    const ended = jest.spyOn(records, 'busy').mockImplementationOnce(async () => {
      await record('live');
      return new Set();
    });
    expect(await findingsOf(workspace.id)).toEqual([]);
    expect(ended).toHaveBeenCalled();
    expect(await world.alive(workspace.id)).toHaveLength(1);
  });

  it('is run by one replica at a time', async () => {
    const gate = new Gate();
    const driver = new Proxy(world.driver, {
      get: (target, name) => (name === 'list' ? () => gate.pass().then(() => []) : Reflect.get(target, name)),
    });
    const slow = await Replica.start(world, { driver });
    const passing = slow.get(Reconciler).pass();
    await gate.reached;
    expect(await replica.get(Reconciler).pass()).toBeNull();
    gate.open();
    await passing;
    expect(await replica.get(Reconciler).pass()).not.toBeNull();
    await slow.stop();
  });
});
