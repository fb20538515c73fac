import {
  CommandAccepted,
  CommandRefused,
  CreateWorkspace,
  newId,
  type OperationView,
  PodJobFailed,
  PodRemoved,
  RemovePod,
  type RoleView,
  StopWithoutSnapshot,
  SubmitTask,
  type WorkspaceView,
} from '@reprise/contracts';
import { World } from './support/world';

let world: World;
let role: RoleView;

beforeAll(async () => {
  world = await World.create();
  await world.setPosture('acme', 'active');
  role = await world.role('coder');
});
afterAll(() => world?.close());

const REASON = 'its task cannot be stopped';
/** An operator is of a tenant of its own. */
const AS_OPERATOR = { org: 'operators' };
const stopped = (id: string) =>
  world.done<{ operation_id: string }>(StopWithoutSnapshot, { workspace_id: id, reason: REASON, caller: OPERATOR }, AS_OPERATOR);
const OPERATOR = { sub: 'olga', own_only: false };

async function removed({ id, workspace_id, generation }: OperationView): Promise<OperationView> {
  const state_lost = 'What the workspace held since its last snapshot was discarded, as an operator asked.';
  await world.event(PodRemoved, { operation_id: id, workspace_id, generation, snapshot_id: null, state_lost });
  return world.ended(id);
}

it('an operator stops a workspace of any tenant, which keeps its snapshot and says what was discarded', async () => {
  const workspace = await world.idleWorkspace(role);
  const snapshot = newId('snapshot');
  await world.database.query('UPDATE workspaces SET snapshot_ref = $1 WHERE id = $2', [snapshot, workspace.id]);

  const { operation_id: id } = await stopped(workspace.id);

  const operation = await world.operation(id);
  expect(operation).toMatchObject({ kind: 'stop', requested_by: 'reprise:operator' });
  expect(await world.toProvisioner<RemovePod>(RemovePod)).toMatchObject({
    operation_id: id,
    pod_generation: 1,
    generation: 2,
    without_snapshot: true,
  });
  expect(await removed(operation)).toMatchObject({ status: 'succeeded' });
  expect(await world.get(workspace.id)).toMatchObject({
    status: 'stopped',
    snapshot_ref: snapshot,
    last_snapshot_error: expect.stringContaining('discarded'),
  });
});

it('who it was and why stands in the audit log of the tenant, and nowhere that the tenant’s callers see', async () => {
  const workspace = await world.idleWorkspace(role);
  const { operation_id: id } = await stopped(workspace.id);
  const lines = await world.database.query(`SELECT org_id, actor, action, detail FROM audit_log WHERE subject = $1 AND action = $2`, [
    workspace.id,
    StopWithoutSnapshot.type,
  ]);
  expect(lines).toEqual([
    {
      org_id: 'acme',
      actor: 'olga',
      action: 'reprise.workspace.stop-without-snapshot.v1',
      detail: { operation_id: id, reason: REASON, without_snapshot: true },
    },
  ]);
  expect(JSON.stringify([await world.operation(id), await world.get(workspace.id)])).not.toMatch(/olga|cannot be stopped/);
});

it('a task that runs ends with it, and a failed workspace is stopped as well', async () => {
  const workspace = await world.idleWorkspace(role);
  const task = await world.done<{ task_id: string }>(SubmitTask, { workspace_id: workspace.id, description: 'cat' });
  const operation = await world.operation((await stopped(workspace.id)).operation_id);
  const failed = { code: 'teardown_failed', message: 'it does not end', step: 'teardown', pod_kept: false, snapshot_id: null };
  const about = { operation_id: operation.id, workspace_id: workspace.id, generation: operation.generation };
  await world.event(PodJobFailed, { ...about, ...failed });
  await world.ended(operation.id);
  expect(await world.get(workspace.id)).toMatchObject({ status: 'failed', failure: { code: 'teardown_failed' } });

  expect(await removed(await world.operation((await stopped(workspace.id)).operation_id))).toMatchObject({ status: 'succeeded' });

  const after = await world.get(workspace.id);
  expect(after).toMatchObject({ status: 'stopped' });
  expect(after).not.toHaveProperty('failure');
  const [row] = await world.database.query('SELECT status FROM tasks WHERE id = $1', [task.task_id]);
  expect(row.status).toBe('failed');
});

it('one that is on its way somewhere, is stopped, or is not there is refused', async () => {
  const made = await world.done<WorkspaceView>(CreateWorkspace, { role_id: role.id });
  const refusal = (id: string) => world.ask(StopWithoutSnapshot, { workspace_id: id, reason: REASON }, AS_OPERATOR);
  expect(await refusal(made.id)).toMatchObject({ refusal: { code: 'invalid_state', details: { status: 'provisioning' } } });
  expect(await refusal(newId('workspace'))).toMatchObject({ refusal: { code: 'workspace_not_found' } });
});

it('it needs no posture in order, and its key is answered once', async () => {
  const workspace = await world.idleWorkspace(role);
  await world.setPosture('acme', 'past_due');
  const data = { workspace_id: workspace.id, reason: REASON, idempotency: { key: 'stop-1', request_hash: 'a'.repeat(64) } };
  const first = await world.done(StopWithoutSnapshot, data, AS_OPERATOR);
  expect(await world.done(StopWithoutSnapshot, data, AS_OPERATOR)).toEqual(first);
  await world.setPosture('acme', 'active');
});

it('a message of nobody is refused, and changes nothing', async () => {
  const workspace = await world.idleWorkspace(role);
  await world.tell(StopWithoutSnapshot, { workspace_id: workspace.id, reason: REASON }, { userId: undefined });
  expect((await world.nextEvent(CommandRefused)).data).toMatchObject({ code: 'unauthenticated' });
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle' });
});

it('an operator’s own message does what the route does', async () => {
  const workspace = await world.idleWorkspace(role);
  await world.tell(StopWithoutSnapshot, { workspace_id: workspace.id, reason: REASON }, AS_OPERATOR);
  expect((await world.nextEvent(CommandAccepted)).data).toMatchObject({ command_type: StopWithoutSnapshot.type });
  expect(await world.get(workspace.id)).toMatchObject({ status: 'stopping' });
});
