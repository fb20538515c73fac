import {
  ArchiveWorkspace,
  ChangeRole,
  CreateProvider,
  CreateRole,
  GetTask,
  InterruptTask,
  type OperationView,
  PodLost,
  PodStepChanged,
  type ProviderView,
  RemovePod,
  ReplacePod,
  ReportTask,
  RestartWorkspace,
  type RoleView,
  RunTask,
  SubmitTask,
  TaskDelivered,
  type TaskView,
  UnarchiveWorkspace,
  type WorkspaceView,
  newId,
} from '@reprise/contracts';
import { waitFor } from '../../../libs/messaging/test/support';
import { Watchdog } from '../src/operations/watchdog';
import { WorkspacesService } from '../src/workspaces/workspaces.service';
import { World } from './support/world';

let world: World;

beforeAll(async () => {
  world = await World.create({ watchdogIntervalSeconds: 3600 });
  await world.setPosture('acme', 'active');
});

afterAll(() => world?.close());

/** One look of the watchdog, at the test's own moment. */
const look = () => world.lifecycle.get(Watchdog).look();

async function after(seconds: number): Promise<void> {
  world.clock.advance(seconds * 1000);
  await look();
}

async function role(name: string, limits: object = {}): Promise<RoleView> {
  const provider = await world.done<ProviderView>(CreateProvider, { name: `${name}-p`, kind: 'none' });
  return world.done<RoleView>(CreateRole, { name, provider_id: provider.id, command: ['cat'], env: { b: '1', a: '2' }, ...limits });
}

async function restart(workspace: WorkspaceView): Promise<OperationView> {
  const { operation_id: id } = await world.done<{ operation_id: string }>(RestartWorkspace, { workspace_id: workspace.id });
  return world.operation(id);
}

async function resends(operation: OperationView): Promise<number> {
  const [row] = await world.database.query<{ resends: number }[]>('SELECT resends FROM operations WHERE id = $1', [operation.id]);
  return row!.resends;
}

const drained = () => world.broker.channel.purgeQueue('test.to-provisioner');

describe('an operation', () => {
  it('without progress has its command sent again, the same to the byte though its role has changed, and visibly', async () => {
    const coder = await role('quiet');
    const workspace = await world.idleWorkspace(coder);
    const operation = await restart(workspace);
    const first = await world.nextToProvisioner(ReplacePod);
    await world.done(ChangeRole, { role_id: coder.id, env: { c: '3' } });
    await after(29);
    expect(await resends(operation)).toBe(0);
    await after(2);
    const again = await world.nextToProvisioner(ReplacePod);
    expect([again.id, again.body, again.correlationId]).toEqual([first.id, first.body, first.correlationId]);
    await after(31);
    expect((await world.nextToProvisioner(ReplacePod)).id).toBe(first.id);
    expect(await resends(operation)).toBe(2);
    await world.podReady(operation, coder, newId('snapshot'));
  });

  it('that progresses is left alone, and one that has ended for good', async () => {
    const coder = await role('steady');
    const workspace = await world.idleWorkspace(coder);
    const operation = await restart(workspace);
    await world.nextToProvisioner(ReplacePod);
    world.clock.advance(25_000);
    await world.event(PodStepChanged, {
      operation_id: operation.id,
      workspace_id: workspace.id,
      generation: operation.generation,
      step: 'snapshot',
      status: 'started',
      attempt: 1,
      at: new Date().toISOString(),
    });
    await waitFor(async () => (await world.operation(operation.id)).phases.length === 1, 'the phase');
    await after(25);
    expect(await resends(operation)).toBe(0);
    await world.podReady(operation, coder, newId('snapshot'));
    await after(120);
    expect(await resends(operation)).toBe(0);
    const [row] = await world.database.query('SELECT pod_command FROM operations WHERE id = $1', [operation.id]);
    expect(row).toEqual({ pod_command: null });
  });

  it('whose command still waits in the outbox is not sent twice', async () => {
    const workspace = await world.idleWorkspace(await role('outbox'));
    const operation = await restart(workspace);
    const { id } = await world.nextToProvisioner(ReplacePod);
    await world.database.query(
      `INSERT INTO outbox (id, exchange, routing_key, properties, body, next_attempt_at)
       VALUES (gen_random_uuid(), 'x', 'x', $1, '{}', now() + interval '1 hour')`,
      [{ messageId: id }],
    );
    await after(31);
    expect(await resends(operation)).toBe(0);
    await world.database.query(`DELETE FROM outbox`);
    await look();
    expect(await resends(operation)).toBe(1);
  });

  it('that no replica may take twice is sent again once, however many look', async () => {
    const workspace = await world.idleWorkspace(await role('replicas'));
    const operation = await restart(workspace);
    world.clock.advance(31_000);
    await Promise.all(Array.from({ length: 8 }, () => look()));
    expect(await resends(operation)).toBe(1);
  });
});

describe('a task', () => {
  const task = (workspaceId: string, id: string) => world.done<TaskView>(GetTask, { workspace_id: workspaceId, task_id: id });
  const sent = async (id: string): Promise<object> =>
    (await world.database.query<object[]>('SELECT resends, interrupts, run_command FROM tasks WHERE id = $1', [id]))[0]!;
  const about = (workspace: WorkspaceView, id: string) => ({ workspace_id: workspace.id, pod_generation: 1, task_id: id });

  async function submitted(limits: object = {}): Promise<{ workspace: WorkspaceView; id: string }> {
    const workspace = await world.idleWorkspace(await role(`tasks-${newId('task').slice(-8)}`, { task_timeout_seconds: 100, ...limits }));
    await drained();
    const { task_id: id } = await world.done<{ task_id: string }>(SubmitTask, { workspace_id: workspace.id, description: 'work' });
    return { workspace, id };
  }

  async function delivered(limits: object = {}): Promise<{ workspace: WorkspaceView; id: string }> {
    const made = await submitted(limits);
    await world.event(TaskDelivered, about(made.workspace, made.id));
    await waitFor(async () => (await task(made.workspace.id, made.id)).status === 'delivered', 'the delivery');
    return made;
  }

  it('that is not delivered is sent again with its message id, until it is', async () => {
    const { workspace, id } = await submitted();
    const first = await world.nextToProvisioner(RunTask);
    await after(31);
    const again = await world.nextToProvisioner(RunTask);
    expect([again.id, again.body]).toEqual([first.id, first.body]);
    await world.event(TaskDelivered, about(workspace, id));
    await waitFor(async () => (await task(workspace.id, id)).status === 'delivered', 'the delivery');
    await after(31);
    expect(await sent(id)).toEqual({ resends: 1, interrupts: 0, run_command: null });
  });

  it('that is never delivered fails with the reason timeout, and its workspace is idle', async () => {
    const { workspace, id } = await submitted();
    await after(601);
    await after(61);
    await after(61);
    expect(await task(workspace.id, id)).toMatchObject({ status: 'failed', reason: 'timeout' });
    expect((await world.get(workspace.id)).status).toBe('idle');
  });

  it('whose agent never reports is interrupted twice after its time, then fails with the reason timeout: its workspace is idle', async () => {
    const { workspace, id } = await delivered();
    await drained();
    await after(159);
    expect(await sent(id)).toMatchObject({ interrupts: 0 });
    for (let interrupt = 1; interrupt <= 2; interrupt += 1) {
      await after(61);
      expect(await world.toProvisioner(InterruptTask)).toEqual({ ...about(workspace, id), reason: 'timeout' });
      expect((await world.get(workspace.id)).status).toBe('busy');
    }
    await after(61);
    expect(await task(workspace.id, id)).toMatchObject({ status: 'failed', reason: 'timeout' });
    expect((await world.get(workspace.id)).status).toBe('idle');
    // The late word of an agent that comes back changes nothing.
    const late = { ...about(workspace, id), status: 'completed', caller: undefined };
    expect(await world.done(ReportTask, late)).toEqual({ status: 'failed' });
  });

  it('whose agent obeys the interruption has failed with the reason timeout, by its own report', async () => {
    const { workspace, id } = await delivered();
    await after(161);
    const report = { ...about(workspace, id), status: 'cancelled', reason: 'timeout', output: 'half', caller: undefined };
    expect(await world.done(ReportTask, report)).toEqual({ status: 'failed' });
    expect(await task(workspace.id, id)).toMatchObject({ status: 'failed', reason: 'timeout', output: 'half' });
  });

  it('has its whole timeout from the moment it runs, however long its delivery took', async () => {
    const { workspace, id } = await delivered();
    await after(90);
    await world.done(ReportTask, { ...about(workspace, id), status: 'running', caller: undefined });
    await after(100);
    expect(await sent(id)).toMatchObject({ interrupts: 0 });
    expect((await task(workspace.id, id)).status).toBe('running');
  });
});

describe('an idle workspace', () => {
  it('is stopped when its role’s time is over, once, requested by Reprise itself', async () => {
    const workspace = await world.idleWorkspace(await role('sleepy', { idle_timeout_seconds: 300 }));
    await drained();
    await after(299);
    expect((await world.get(workspace.id)).status).toBe('idle');
    world.clock.advance(2_000);
    await Promise.all(Array.from({ length: 8 }, () => look()));
    const { status, operation, generation } = await world.get(workspace.id);
    expect({ status, generation, by: operation!.requested_by, kind: operation!.kind }).toEqual({
      status: 'stopping',
      generation: 2,
      by: 'reprise:idle-timeout',
      kind: 'stop',
    });
    expect(await world.toProvisioner(RemovePod)).toMatchObject({ workspace_id: workspace.id, pod_generation: 1, generation: 2 });
    const audit = await world.database.query(`SELECT actor, action FROM audit_log WHERE subject = $1 ORDER BY id DESC LIMIT 1`, [
      workspace.id,
    ]);
    expect(audit).toEqual([{ actor: 'reprise:idle-timeout', action: 'reprise.workspace.stop.v1' }]);
  });

  it('of a role without an idle timeout is never stopped', async () => {
    const workspace = await world.idleWorkspace(await role('sleepless'));
    await after(1e6);
    expect((await world.get(workspace.id)).status).toBe('idle');
  });

  it('begins anew after each task: it counts from the last one’s end', async () => {
    const workspace = await world.idleWorkspace(await role('napping', { idle_timeout_seconds: 300 }));
    await after(200);
    const { task_id: id } = await world.done<{ task_id: string }>(SubmitTask, { workspace_id: workspace.id, description: 'work' });
    await after(200);
    expect((await world.get(workspace.id)).status).toBe('busy');
    const report = { workspace_id: workspace.id, pod_generation: 1, task_id: id, status: 'completed', caller: undefined };
    await world.done(ReportTask, report);
    await after(200);
    expect((await world.get(workspace.id)).status).toBe('idle');
    await after(101);
    expect((await world.get(workspace.id)).status).toBe('stopping');
  });

  it('that is given a task at the last moment is not stopped', async () => {
    const workspace = await world.idleWorkspace(await role('woken', { idle_timeout_seconds: 300 }));
    world.clock.advance(301_000);
    const service = world.lifecycle.get(WorkspacesService);
    const [found] = await service.idleTooLong(world.clock.now());
    expect(found!.id).toBe(workspace.id);
    await world.done(SubmitTask, { workspace_id: workspace.id, description: 'work' });
    await expect(service.stopIdle(found!)).rejects.toMatchObject({ code: 'invalid_state' });
    expect(await world.get(workspace.id)).toMatchObject({ status: 'busy', generation: 1 });
  });
});

describe('a workspace that lost its pod', () => {
  async function lost(workspace: WorkspaceView): Promise<void> {
    const { generation } = await world.get(workspace.id);
    await world.event(PodLost, { workspace_id: workspace.id, pod_generation: generation, reason: 'the process is gone' });
    await waitFor(async () => (await world.get(workspace.id)).status === 'failed', 'the loss');
  }

  async function resumedByItself(workspace: WorkspaceView, coder: RoleView): Promise<void> {
    await after(5);
    const { status, operation } = await world.get(workspace.id);
    expect({ status, kind: operation?.kind, by: operation?.requested_by }).toEqual({
      status: 'provisioning',
      kind: 'resume',
      by: 'reprise:pod-lost',
    });
    await world.podReady(operation!, coder, null);
    expect((await world.get(workspace.id)).status).toBe('idle');
  }

  it('is resumed by itself where its role says so, once, however many look', async () => {
    const coder = await role('phoenix', { on_pod_lost: 'resume' });
    const workspace = await world.idleWorkspace(coder);
    await lost(workspace);
    await Promise.all(Array.from({ length: 8 }, () => look()));
    const { status, generation, operation } = await world.get(workspace.id);
    expect({ status, generation, by: operation!.requested_by }).toEqual({ status: 'provisioning', generation: 2, by: 'reprise:pod-lost' });
  });

  it('stays failed where its role does not', async () => {
    const workspace = await world.idleWorkspace(await role('mortal'));
    await lost(workspace);
    await after(3_600);
    expect(await world.get(workspace.id)).toMatchObject({ status: 'failed', generation: 1 });
  });

  it('stays failed though its role is changed later, or it is archived and taken back', async () => {
    const mortal = await role('convert');
    const workspace = await world.idleWorkspace(mortal);
    await lost(workspace);
    await world.done(ChangeRole, { role_id: mortal.id, on_pod_lost: 'resume' });
    const shelved = await world.idleWorkspace(mortal);
    await lost(shelved);
    await world.done(ArchiveWorkspace, { workspace_id: shelved.id });
    await look();
    await world.done(UnarchiveWorkspace, { workspace_id: shelved.id });
    await look();
    for (const { id } of [workspace, shelved]) expect(await world.get(id)).toMatchObject({ status: 'failed', generation: 1 });
  });

  it('is resumed a few times an hour at most, and again after that', async () => {
    const coder = await role('cat', { on_pod_lost: 'resume' });
    const workspace = await world.idleWorkspace(coder);
    for (let life = 0; life < 3; life += 1) {
      await lost(workspace);
      await resumedByItself(workspace, coder);
    }
    await lost(workspace);
    await after(60);
    expect(await world.get(workspace.id)).toMatchObject({ status: 'failed', generation: 4 });
    world.clock.advance(3_600_000);
    await resumedByItself(workspace, coder);
  });

  it('of a tenant who may not add stays failed, also when he may again', async () => {
    const coder = await role('debtor', { on_pod_lost: 'resume' });
    const workspace = await world.idleWorkspace(coder);
    await lost(workspace);
    await world.setPosture('acme', 'past_due');
    await look();
    await world.setPosture('acme', 'active');
    await look();
    expect(await world.get(workspace.id)).toMatchObject({ status: 'failed', generation: 1 });
  });

  it('while an operation ended is resumed as well', async () => {
    const coder = await role('meanwhile', { on_pod_lost: 'resume' });
    const workspace = await world.idleWorkspace(coder);
    const operation = await restart(workspace);
    await world.event(PodLost, { workspace_id: workspace.id, pod_generation: 2, reason: 'the process is gone' });
    await waitFor(async () => {
      const [row] = await world.database.query<{ lost: number }[]>('SELECT lost_generation AS lost FROM workspaces WHERE id = $1', [
        workspace.id,
      ]);
      return row!.lost === 2;
    }, 'the loss');
    await world.podReady(operation, coder, newId('snapshot'));
    expect((await world.get(workspace.id)).status).toBe('failed');
    await resumedByItself(workspace, coder);
  });
});
