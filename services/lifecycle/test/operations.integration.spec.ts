import {
  CreatePod,
  CreateWorkspace,
  OperationFailed,
  OperationSucceeded,
  PodJobFailed,
  PodLost,
  PodReady,
  PodRemoved,
  PodStepChanged,
  RemovePod,
  ReplacePod,
  ReportTask,
  RestartWorkspace,
  ResumeWorkspace,
  type RoleView,
  RunTask,
  StopWorkspace,
  SubmitTask,
  GetTask,
  type TaskView,
  type WorkspaceView,
  newId,
} from '@reprise/contracts';
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

const step = (operation: { id: string; workspace_id: string; generation: number }, name: string, status: string, more: object = {}) =>
  world.event(PodStepChanged, {
    operation_id: operation.id,
    workspace_id: operation.workspace_id,
    generation: operation.generation,
    step: name,
    status,
    attempt: 1,
    at: new Date().toISOString(),
    ...more,
  });

async function busy(workspace: WorkspaceView): Promise<string> {
  const { task_id: id } = await world.done<{ task_id: string }>(SubmitTask, { workspace_id: workspace.id, description: 'work' });
  return id;
}

const task = (workspaceId: string, id: string) => world.done<TaskView>(GetTask, { workspace_id: workspaceId, task_id: id });
const lostOf = async (id: string): Promise<number | null> =>
  (await world.database.query<{ lost_generation: number | null }[]>('SELECT lost_generation FROM workspaces WHERE id = $1', [id]))[0]!
    .lost_generation;
const restart = async (id: string, force = false) => {
  const { operation_id: operationId } = await world.done<{ operation_id: string }>(RestartWorkspace, { workspace_id: id, force });
  return world.operation(operationId);
};

it('a create asks for a pod as the role is, and ends when the pod is ready', async () => {
  const workspace = await world.done<WorkspaceView>(CreateWorkspace, { role_name: 'coder', environment: 'staging' });
  expect(workspace).toMatchObject({
    status: 'provisioning',
    generation: 1,
    environment: 'staging',
    pack_status: 'unknown',
    created_by_user_id: 'alice',
  });
  const command = await world.toProvisioner<CreatePod>(CreatePod);
  expect(command).toMatchObject({
    operation_id: workspace.operation!.id,
    workspace_id: workspace.id,
    generation: 1,
    snapshot_id: null,
    spec: { role_id: role.id, role_version: 1, command: ['cat'], environment: 'staging' },
  });
  await world.podReady(workspace.operation!, role);
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', operation: null, pack_status: 'current' });
  const event = await world.nextEvent(OperationSucceeded);
  expect(event.data).toMatchObject({ operation_id: workspace.operation!.id, kind: 'create', generation: 1 });
});

it('a forced restart goes through stopping and provisioning to idle, and ends the task that it interrupts', async () => {
  const workspace = await world.idleWorkspace(role);
  const taskId = await busy(workspace);
  const operation = await restart(workspace.id, true);
  expect(await world.get(workspace.id)).toMatchObject({ status: 'stopping', generation: 2 });
  expect(await world.toProvisioner<ReplacePod>(ReplacePod)).toMatchObject({ generation: 2, pod_generation: 1, force: true });

  await step(operation, 'quiesce', 'started');
  await step(operation, 'quiesce', 'succeeded', { interrupted_task_id: taskId, interrupted_task_output: 'so far\n' });
  await waitFor(async () => (await task(workspace.id, taskId)).status === 'cancelled', 'the end of the task');
  expect(await task(workspace.id, taskId)).toMatchObject({ reason: 'interrupted_by_restart', output: 'so far\n' });
  await step(operation, 'teardown', 'succeeded', { next: { step: 'create', attempt: 1 } });
  await waitFor(async () => (await world.get(workspace.id)).status === 'provisioning', 'provisioning');
  expect((await world.operation(operation.id)).phases.map((p) => [p.name, p.status])).toEqual([
    ['quiesce', 'succeeded'],
    ['teardown', 'succeeded'],
    ['create', 'running'],
  ]);

  const snapshot = newId('snapshot');
  await world.podReady(operation, role, snapshot);
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', snapshot_ref: snapshot, generation: 2 });
  expect((await world.operation(operation.id)).phases.at(-1)).toMatchObject({ name: 'create', status: 'succeeded' });
});

it('a restart whose snapshot fails brings the workspace back to idle, with the error on record and the older pod', async () => {
  const workspace = await world.idleWorkspace(role);
  const operation = await restart(workspace.id);
  await world.event(PodJobFailed, {
    operation_id: operation.id,
    workspace_id: workspace.id,
    generation: 2,
    pod_kept: true,
    step: 'snapshot',
    code: 'snapshot_failed',
    message: 'no space left',
    snapshot_id: null,
  });
  expect(await world.ended(operation.id)).toMatchObject({ status: 'failed', error: { code: 'snapshot_failed', message: 'no space left' } });
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', last_snapshot_error: 'no space left', generation: 2 });
  expect((await world.nextEvent(OperationFailed)).data).toMatchObject({ code: 'snapshot_failed', pod_kept: true });

  // The pod that lives is still the first one: tasks and the next restart are for it.
  await busy(workspace);
  expect(await world.toProvisioner<RunTask>(RunTask)).toMatchObject({ pod_generation: 1, workspace_id: workspace.id });
  const again = await restart(workspace.id, true);
  expect(again.generation).toBe(3);
  await waitFor(async () => (await world.toProvisioner<ReplacePod>(ReplacePod)).generation === 3, 'the second replace');
  await world.podReady(again, role, newId('snapshot'));
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', last_snapshot_error: null });
});

it('a restart whose quiesce fails while its task runs on leaves the workspace busy with it', async () => {
  const workspace = await world.idleWorkspace(role);
  const taskId = await busy(workspace);
  const operation = await restart(workspace.id, true);
  await world.event(PodJobFailed, {
    operation_id: operation.id,
    workspace_id: workspace.id,
    generation: 2,
    pod_kept: true,
    step: 'quiesce',
    code: 'quiesce_failed',
    message: 'the agent does not answer',
    snapshot_id: null,
  });
  await world.ended(operation.id);
  expect(await world.get(workspace.id)).toMatchObject({ status: 'busy', last_snapshot_error: 'the agent does not answer' });
  await world.done(ReportTask, {
    workspace_id: workspace.id,
    pod_generation: 1,
    task_id: taskId,
    status: 'completed',
    output: 'fine',
    caller: undefined,
  });
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle' });
  expect(await task(workspace.id, taskId)).toMatchObject({ status: 'completed', output: 'fine' });
});

it('a new pod that fails leaves the workspace failed with its snapshot, and resume brings it back from there', async () => {
  const workspace = await world.idleWorkspace(role);
  const operation = await restart(workspace.id);
  const snapshot = newId('snapshot');
  await world.event(PodJobFailed, {
    operation_id: operation.id,
    workspace_id: workspace.id,
    generation: 2,
    pod_kept: false,
    step: 'create',
    code: 'create_failed',
    message: 'no agent',
    snapshot_id: snapshot,
  });
  await world.ended(operation.id);
  expect(await world.get(workspace.id)).toMatchObject({
    status: 'failed',
    snapshot_ref: snapshot,
    pack_status: 'unknown',
    last_snapshot_error: null,
    failure: { code: 'create_failed', message: 'no agent', operation_id: operation.id, at: expect.stringMatching(/^\d{4}-.*Z$/) },
  });
  const { operation_id: resumeId } = await world.done<{ operation_id: string }>(ResumeWorkspace, { workspace_id: workspace.id });
  await waitFor(async () => (await world.toProvisioner<CreatePod>(CreatePod)).snapshot_id === snapshot, 'the create from the snapshot');
  await world.podReady(await world.operation(resumeId), role, snapshot);
  const resumed = await world.get(workspace.id);
  expect(resumed).toMatchObject({ status: 'idle', generation: 3 });
  expect(resumed).not.toHaveProperty('failure');
});

it('a stop ends the task that it interrupts, and a resume starts from the snapshot of the stop', async () => {
  const workspace = await world.idleWorkspace(role);
  const taskId = await busy(workspace);
  const { operation_id: stopId } = await world.done<{ operation_id: string }>(StopWorkspace, { workspace_id: workspace.id });
  await world.toProvisioner<RemovePod>(RemovePod);
  const snapshot = newId('snapshot');
  // The step's event is late: the end of the operation alone must do.
  await world.event(PodRemoved, { operation_id: stopId, workspace_id: workspace.id, generation: 2, snapshot_id: snapshot });
  await world.ended(stopId);
  expect(await world.get(workspace.id)).toMatchObject({ status: 'stopped', snapshot_ref: snapshot });
  expect(await task(workspace.id, taskId)).toMatchObject({ status: 'cancelled', reason: 'interrupted_by_stop' });
});

it('facts of an older generation, of another operation, or told twice change nothing', async () => {
  const workspace = await world.idleWorkspace(role);
  const first = await restart(workspace.id);
  await world.podReady(first, role, newId('snapshot'));
  const second = await restart(workspace.id);
  const before = await world.get(workspace.id);
  const late = {
    operation_id: first.id,
    workspace_id: workspace.id,
    generation: first.generation,
    role_version: 1,
    snapshot_id: newId('snapshot'),
  };
  await world.event(PodReady, late);
  await world.event(PodReady, { ...late, operation_id: second.id, generation: 1 });
  await world.event(PodLost, { workspace_id: workspace.id, pod_generation: 1, reason: 'gone' });
  const id = newId('message');
  const good = {
    operation_id: second.id,
    workspace_id: workspace.id,
    generation: second.generation,
    role_version: 1,
    snapshot_id: newId('snapshot'),
  };
  await world.event(PodReady, good, id);
  await world.event(PodReady, good, id);
  await world.ended(second.id);
  expect(before).toMatchObject({ status: 'stopping', operation: { id: second.id } });
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', snapshot_ref: good.snapshot_id, generation: 3 });
});

it('a lost pod fails the workspace and its task; reports of the dead pod change nothing after that', async () => {
  const workspace = await world.idleWorkspace(role);
  const taskId = await busy(workspace);
  await world.event(PodLost, { workspace_id: workspace.id, pod_generation: 1, reason: 'the process is gone' });
  await waitFor(async () => (await world.get(workspace.id)).status === 'failed', 'failed');
  expect((await world.get(workspace.id)).failure).toMatchObject({ code: 'pod_lost', message: 'the process is gone', operation_id: null });
  expect(await task(workspace.id, taskId)).toMatchObject({ status: 'failed', reason: 'pod_lost' });
  const report = { workspace_id: workspace.id, pod_generation: 1, task_id: taskId, status: 'completed', caller: undefined };
  expect(await world.done(ReportTask, report)).toEqual({ status: 'failed' });
});

it('a new pod that is told lost before its operation is told ended leaves the workspace failed, not idle without a pod', async () => {
  const workspace = await world.idleWorkspace(role);
  const { id: operation_id, generation } = await restart(workspace.id);
  const snapshot_id = newId('snapshot');
  await world.event(PodLost, { workspace_id: workspace.id, pod_generation: generation, reason: 'the process is gone' });
  await waitFor(async () => (await lostOf(workspace.id)) === generation, 'the loss');
  await world.event(PodReady, { operation_id, workspace_id: workspace.id, generation, role_version: 1, snapshot_id });
  expect(await world.ended(operation_id)).toMatchObject({ status: 'succeeded' });
  expect(await world.get(workspace.id)).toMatchObject({
    status: 'failed',
    snapshot_ref: snapshot_id,
    failure: { code: 'pod_lost', operation_id },
  });
  // The next pod is another one.
  const { operation_id: resume } = await world.done<{ operation_id: string }>(ResumeWorkspace, { workspace_id: workspace.id });
  const next = { operation_id: resume, workspace_id: workspace.id, generation: generation + 1, role_version: 1, snapshot_id: null };
  await world.event(PodReady, next);
  await world.ended(resume);
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle' });
});

it('a kept pod that is told lost before its operation is told failed leaves the workspace failed', async () => {
  const workspace = await world.idleWorkspace(role);
  const { id: operation_id, generation } = await restart(workspace.id);
  await world.event(PodLost, { workspace_id: workspace.id, pod_generation: 1, reason: 'the process is gone' });
  await waitFor(async () => (await lostOf(workspace.id)) === 1, 'the loss');
  const failed = { code: 'snapshot_failed', message: 'no space', pod_kept: true, step: 'snapshot', snapshot_id: null };
  await world.event(PodJobFailed, { operation_id, workspace_id: workspace.id, generation, ...failed });
  await world.ended(operation_id);
  expect(await world.get(workspace.id)).toMatchObject({
    status: 'failed',
    last_snapshot_error: 'no space',
    failure: { code: 'snapshot_failed', message: 'no space', operation_id },
  });
});

it('an operation that misses its deadline fails and says so; the workspace can be resumed', async () => {
  const workspace = await world.idleWorkspace(role);
  const operation = await restart(workspace.id);
  await step(operation, 'snapshot', 'started');
  await waitFor(async () => (await world.operation(operation.id)).phases.length === 1, 'the phase');
  world.clock.advance(601_000);
  const ended = await world.ended(operation.id);
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'operation_timeout' }, phases: [{ name: 'snapshot', status: 'failed' }] });
  expect(ended.error!.message).toContain('snapshot');
  const { status, failure } = await world.get(workspace.id);
  expect({ status, failure }).toMatchObject({ status: 'failed', failure: { code: 'operation_timeout', operation_id: operation.id } });
  expect(await world.done(ResumeWorkspace, { workspace_id: workspace.id })).toMatchObject({ status: 'resuming' });
});
