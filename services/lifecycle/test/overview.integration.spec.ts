import {
  type LifecycleOverview,
  type OperationView,
  PodCheckpointFailed,
  PodJobFailed,
  PodReady,
  RestartWorkspace,
  type RoleView,
  type WorkspaceView,
} from '@reprise/contracts';
import { OverviewRepository } from '../src/overview/overview.repository';
import { waitFor } from '../../../libs/messaging/test/support';
import { World } from './support/world';

let world: World;
let role: RoleView;

beforeAll(async () => {
  world = await World.create();
  await world.setPosture('acme', 'active');
  role = await world.role('coder');
});
afterAll(() => world?.close());

/** What an operator is told of workspaces whose state could not be saved. */
async function unsaved(): Promise<string[]> {
  const { unsaved_workspaces: told }: LifecycleOverview = await world.part(OverviewRepository).look(100);
  expect(told?.count).toBe(told?.listed.length);
  return told?.listed.map(({ id, error }) => `${id}: ${error}`) ?? [];
}

async function restarting({ id }: WorkspaceView): Promise<OperationView> {
  // The test's clock goes by hand.
  world.clock.advance(1_000);
  const { operation_id: operation } = await world.done<{ operation_id: string }>(RestartWorkspace, { workspace_id: id });
  return world.operation(operation);
}

async function fails(workspace: WorkspaceView, message: string): Promise<void> {
  const { id: operation_id, workspace_id, generation } = await restarting(workspace);
  const failure = { pod_kept: true, step: 'snapshot', code: 'snapshot_failed', message, snapshot_id: null };
  await world.event(PodJobFailed, { operation_id, workspace_id, generation, ...failure });
  await world.ended(operation_id);
}

it('the overview names a workspace that could not be saved, until it was', async () => {
  const workspace = await world.idleWorkspace(role);
  expect(await unsaved()).toEqual([]);
  await fails(workspace, 'no room');
  expect(await unsaved()).toEqual([`${workspace.id}: no room`]);
  await world.podReady(await restarting(workspace), role);
  expect(await unsaved()).toEqual([]);
});

it('the overview names one whose checkpoint failed', async () => {
  const workspace = await world.idleWorkspace(role);
  await world.event(PodCheckpointFailed, { workspace_id: workspace.id, pod_generation: 1, message: 'checkpoint: no room' });
  expect(await waitFor(async () => ((await unsaved()).length > 0 ? unsaved() : undefined), 'its error')).toEqual([
    `${workspace.id}: checkpoint: no room`,
  ]);
  await world.podReady(await restarting(workspace), role);
  expect(await unsaved()).toEqual([]);
});

it('the overview names no state that is known to be lost: nothing is left of it to be saved', async () => {
  const workspace = await world.idleWorkspace(role);
  await fails(workspace, 'no room');
  const { id: operation_id, workspace_id, generation } = await restarting(workspace);
  const lost = { role_version: role.version, snapshot_id: null, state_from: 'empty', state_lost: 'What pod 1 left was discarded.' };
  await world.event(PodReady, { operation_id, workspace_id, generation, ...lost });
  await world.ended(operation_id);
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', last_snapshot_error: 'What pod 1 left was discarded.' });
  expect(await unsaved()).toEqual([]);
  await fails(workspace, 'no room');
  expect(await unsaved()).toEqual([`${workspace.id}: no room`]);
});
