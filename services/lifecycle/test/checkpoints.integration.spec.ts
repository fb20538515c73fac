import {
  CheckpointPod,
  CreateProvider,
  CreateRole,
  PodCheckpointed,
  PodCheckpointFailed,
  type ProviderView,
  ReportTask,
  type RoleView,
  SubmitTask,
  type WorkspaceView,
  newId,
} from '@reprise/contracts';
import { waitFor } from '../../../libs/messaging/test/support';
import { Watchdog } from '../src/operations/watchdog';
import { World } from './support/world';

let world: World;

beforeAll(async () => {
  world = await World.create({ watchdogIntervalSeconds: 3600 });
  await world.setPosture('acme', 'active');
});
afterAll(() => world?.close());

async function after(seconds: number): Promise<void> {
  world.clock.advance(seconds * 1000);
  await world.lifecycle.get(Watchdog).look();
}

async function idle(name: string): Promise<WorkspaceView> {
  const provider = await world.done<ProviderView>(CreateProvider, { name: `${name}-p`, kind: 'none' });
  const fields = { name, provider_id: provider.id, command: ['cat'], checkpoint_interval_seconds: 60 };
  return world.idleWorkspace(await world.done<RoleView>(CreateRole, fields));
}

async function worked({ id }: WorkspaceView): Promise<void> {
  const { task_id } = await world.done<{ task_id: string }>(SubmitTask, { workspace_id: id, description: 'work' });
  await world.done(ReportTask, { workspace_id: id, pod_generation: 1, task_id, status: 'completed', caller: undefined });
}

async function emptied(): Promise<void> {
  await waitFor(async () => {
    const [row] = await world.database.query<{ left: number }[]>('SELECT count(*)::int AS left FROM outbox');
    return row!.left === 0;
  }, 'the outbox to be empty');
}

describe('a workspace whose role has a checkpoint interval', () => {
  it('is saved once an interval after a task, by however many replicas, and says which snapshot that was', async () => {
    const workspace = await idle('saved');
    const told = { workspace_id: workspace.id, pod_generation: 1 };
    await after(120);
    await worked(workspace);
    await Promise.all([after(1), after(0), after(0)]);
    expect(await world.toProvisioner<CheckpointPod>(CheckpointPod)).toMatchObject(told);
    await emptied();
    expect(await world.countToProvisioner()).toBe(0);
    const snapshot = newId('snapshot');
    await world.event(PodCheckpointed, { ...told, snapshot_id: snapshot, taken_at: new Date().toISOString(), in_background: 0 });
    await waitFor(async () => (await world.get(workspace.id)).snapshot_ref === snapshot, 'the checkpoint to be known');
    expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', generation: 1, operation: null });
    // Nothing has changed since.
    await after(1_000);
    await emptied();
    expect(await world.countToProvisioner()).toBe(0);
  });

  it('is saved again and again while something runs in the background', async () => {
    const workspace = await idle('busy-behind');
    const told = { workspace_id: workspace.id, pod_generation: 1 };
    await after(120);
    await worked(workspace);
    for (let round = 0; round < 2; round += 1) {
      await after(61);
      await world.toProvisioner(CheckpointPod);
      const snapshot = newId('snapshot');
      await world.event(PodCheckpointed, { ...told, snapshot_id: snapshot, taken_at: new Date().toISOString(), in_background: 2 });
      await waitFor(async () => (await world.get(workspace.id)).snapshot_ref === snapshot, 'the checkpoint to be known');
    }
  });

  it('says why a checkpoint failed, and is asked for another one', async () => {
    const workspace = await idle('unsaved');
    await after(120);
    await worked(workspace);
    await after(1);
    await world.toProvisioner(CheckpointPod);
    await world.event(PodCheckpointFailed, { workspace_id: workspace.id, pod_generation: 1, message: 'checkpoint: no space' });
    await waitFor(async () => (await world.get(workspace.id)).last_snapshot_error === 'checkpoint: no space', 'the failure to be known');
    await after(61);
    expect(await world.toProvisioner<CheckpointPod>(CheckpointPod)).toMatchObject({ workspace_id: workspace.id });
  });

  it('takes no word of a pod that it has no more', async () => {
    const workspace = await idle('replaced');
    const told = { workspace_id: workspace.id, pod_generation: 7 };
    await world.event(PodCheckpointed, { ...told, snapshot_id: newId('snapshot'), taken_at: new Date().toISOString(), in_background: 0 });
    await world.event(PodCheckpointFailed, { ...told, message: 'no' });
    await worked(workspace);
    expect(await world.get(workspace.id)).toMatchObject({ snapshot_ref: null, last_snapshot_error: null });
  });
});
