import {
  ArchiveProvider,
  ArchiveRole,
  ArchiveWorkspace,
  ChangeRole,
  CommandAccepted,
  CommandRefused,
  CreateRole,
  CreateWorkspace,
  FindIdempotentReply,
  GetWorkspace,
  ListWorkspaces,
  OperationSucceeded,
  ReplacePod,
  RestartWorkspace,
  ResumeWorkspace,
  type RoleView,
  StopWorkspace,
  SubmitTask,
  UnarchiveRole,
  type WorkspaceView,
  newId,
} from '@reprise/contracts';
import { WorkspacesRepository } from '../src/workspaces/workspaces.repository';
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

const HASH = 'a'.repeat(64);
const restarts = async (id: string): Promise<number> => {
  const [row] = await world.database.query(`SELECT count(*)::int AS count FROM operations WHERE workspace_id = $1 AND kind = 'restart'`, [
    id,
  ]);
  return row.count;
};

it('twenty restarts at once: one is accepted, nineteen are refused', async () => {
  const workspace = await world.idleWorkspace(role);
  const replies = await Promise.all(Array.from({ length: 20 }, () => world.ask(RestartWorkspace, { workspace_id: workspace.id })));
  const codes = replies.map((r) => (r.status === 'done' ? 'done' : r.refusal.code)).sort();
  expect(codes).toEqual(['done', ...Array<string>(19).fill('invalid_state')]);
  expect(await restarts(workspace.id)).toBe(1);
});

it('twenty restarts at once with one idempotency key: one operation, twenty times the same answer', async () => {
  const workspace = await world.idleWorkspace(role);
  const data = { workspace_id: workspace.id, idempotency: { key: 'k-20', request_hash: HASH } };
  const replies = await Promise.all(Array.from({ length: 20 }, () => world.ask(RestartWorkspace, data)));
  expect(new Set(replies.map((r) => JSON.stringify(r))).size).toBe(1);
  expect(replies[0]).toMatchObject({ status: 'done', value: { status: 'restarting' } });
  expect(await restarts(workspace.id)).toBe(1);
  expect(await world.done(FindIdempotentReply, { key: 'k-20', request_hash: HASH })).toEqual({ found: true, reply: replies[0] });
});

it('twenty creates at once with one key make one workspace', async () => {
  const data = { role_id: role.id, idempotency: { key: 'create-20', request_hash: HASH } };
  const made = await Promise.all(Array.from({ length: 20 }, () => world.done<WorkspaceView>(CreateWorkspace, data)));
  expect(new Set(made.map((w) => w.id)).size).toBe(1);
});

it('a key with another request is refused, and the key of another tenant is another key', async () => {
  const workspace = await world.idleWorkspace(role);
  const first = { workspace_id: workspace.id, idempotency: { key: 'reuse', request_hash: HASH } };
  await world.done(StopWorkspace, first);
  expect(await world.ask(StopWorkspace, { ...first, idempotency: { key: 'reuse', request_hash: 'b'.repeat(64) } })).toMatchObject({
    refusal: { code: 'idempotency_key_reused' },
  });
  expect(await world.ask(StopWorkspace, first, { org: 'other' })).toMatchObject({ refusal: { code: 'workspace_not_found' } });
});

it('a refusal under a key is given again, though the state has changed meanwhile', async () => {
  const workspace = await world.idleWorkspace(role);
  const resume = { workspace_id: workspace.id, idempotency: { key: 'refused-first', request_hash: HASH } };
  const first = await world.ask(ResumeWorkspace, resume);
  expect(first).toMatchObject({ refusal: { code: 'invalid_state', details: { status: 'idle' } } });
  await world.database.query(`UPDATE workspaces SET status = 'stopped', pod_generation = NULL WHERE id = $1`, [workspace.id]);
  expect(await world.ask(ResumeWorkspace, resume)).toEqual(first);
});

describe('a command that finds its workspace changed between its look and its write', () => {
  /** Lets something happen right after the next look at a workspace that takes no lock. */
  function meanwhile(happen: (id: string) => Promise<unknown>): jest.SpyInstance {
    const workspaces = world.lifecycle.get(WorkspacesRepository);
    const look = workspaces.load.bind(workspaces);
    return jest.spyOn(workspaces, 'load').mockImplementationOnce(async (manager, id, org, loading) => {
      expect(loading).toEqual({ locked: false });
      const found = await look(manager, id, org, loading);
      await happen(id);
      return found;
    });
  }
  const left = (id: string) =>
    world.database.query(
      `SELECT (SELECT count(*)::int FROM operations WHERE workspace_id = $1) AS operations,
              (SELECT count(*)::int FROM audit_log WHERE subject = $1 AND action = $2) AS audited,
              (SELECT count(*)::int FROM idempotency_keys WHERE key = 'raced' AND (reply->>'status') = 'done') AS remembered`,
      [id, ResumeWorkspace.type],
    );

  it('is decided anew, and leaves nothing of what it would have written', async () => {
    const { id } = await world.idleWorkspace(role);
    await world.database.query(`UPDATE workspaces SET status = 'stopped', pod_generation = NULL WHERE id = $1`, [id]);
    const before = await left(id);
    // Neither status nor generation tell that it was archived.
    const looked = meanwhile(() => world.database.query(`UPDATE workspaces SET archived_at = now() WHERE id = $1`, [id]));
    const data = { workspace_id: id, idempotency: { key: 'raced', request_hash: HASH } };
    expect(await world.ask(ResumeWorkspace, data)).toMatchObject({ refusal: { code: 'workspace_archived' } });
    expect(looked.mock.calls.map(([, , , loading]) => loading)).toEqual([{ locked: false }, { locked: true }]);
    expect(await left(id)).toEqual(before);
    looked.mockRestore();
  });

  it('is carried out once where it may be all the same', async () => {
    const workspace = await world.idleWorkspace(role);
    const looked = meanwhile((id) => world.database.query(`UPDATE workspaces SET environment = 'other' WHERE id = $1`, [id]));
    expect(await world.ask(RestartWorkspace, { workspace_id: workspace.id })).toMatchObject({ status: 'done' });
    expect(looked).toHaveBeenCalledTimes(2);
    expect(await restarts(workspace.id)).toBe(1);
    looked.mockRestore();
  });
});

it('the same message three times has one effect and one answer', async () => {
  const workspace = await world.idleWorkspace(role);
  const id = newId('message');
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await world.done(RestartWorkspace, { workspace_id: workspace.id }, { id }));
  expect(new Set(answers.map((a) => JSON.stringify(a))).size).toBe(1);
  expect(await restarts(workspace.id)).toBe(1);
});

it('another tenant’s workspace does not exist, whatever is asked of it', async () => {
  const workspace = await world.idleWorkspace(role);
  await world.setPosture('other', 'active');
  for (const message of [RestartWorkspace, StopWorkspace, ResumeWorkspace, ArchiveWorkspace, GetWorkspace]) {
    expect(await world.ask(message, { workspace_id: workspace.id }, { org: 'other' })).toMatchObject({
      refusal: { code: 'workspace_not_found' },
    });
  }
  expect(
    (await world.done<{ workspaces: unknown[] }>(ListWorkspaces, { include_archived: true, limit: 10 }, { org: 'other' })).workspaces,
  ).toEqual([]);
});

it('a narrowed scope reaches what its caller created, and nothing else', async () => {
  const mine = await world.idleWorkspace(role, { caller: { sub: 'bob', own_only: true } });
  const hers = await world.idleWorkspace(role);
  const bob = { caller: { sub: 'bob', own_only: true } };
  expect(await world.ask(GetWorkspace, { workspace_id: hers.id, ...bob })).toMatchObject({ refusal: { code: 'workspace_not_visible' } });
  expect(await world.ask(StopWorkspace, { workspace_id: hers.id, ...bob })).toMatchObject({
    refusal: { code: 'permission_denied', details: { required: ['workspace:write'] } },
  });
  expect(await world.ask(StopWorkspace, { workspace_id: mine.id, ...bob })).toMatchObject({ value: { status: 'stopping' } });
  const { workspaces } = await world.done<{ workspaces: WorkspaceView[] }>(ListWorkspaces, { include_archived: false, limit: 50, ...bob });
  expect(workspaces.map((w) => w.id)).toEqual([mine.id]);
});

it('pages are newest first, whole, and without overlap', async () => {
  await world.setPosture('pages', 'active');
  const pageRole = await world.role('paged', 'pages');
  const made: string[] = [];
  for (let i = 0; i < 7; i++) made.push((await world.done<WorkspaceView>(CreateWorkspace, { role_id: pageRole.id }, { org: 'pages' })).id);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page: { workspaces: WorkspaceView[]; cursor?: string } = await world.done(
      ListWorkspaces,
      { include_archived: false, limit: 3, ...(cursor ? { cursor } : {}) },
      { org: 'pages' },
    );
    seen.push(...page.workspaces.map((w) => w.id));
    cursor = page.cursor;
  } while (cursor);
  expect(new Set(seen)).toEqual(new Set(made));
  expect(seen).toEqual([...seen].sort().reverse());
  expect(await world.ask(ListWorkspaces, { include_archived: false, limit: 3, cursor: 'nonsense' })).toMatchObject({
    refusal: { code: 'invalid_cursor' },
  });
  expect(await world.ask(ListWorkspaces, { include_archived: false, limit: 3, role_name: 'nobody' })).toMatchObject({
    refusal: { code: 'role_not_found' },
  });
});

it('a role is archived only when nothing of it runs; a provider takes its roles along', async () => {
  const doomed = await world.role('doomed');
  const workspace = await world.idleWorkspace(doomed);
  expect(await world.ask(ArchiveRole, { role_id: doomed.id })).toMatchObject({ refusal: { code: 'workspaces_active' } });
  const archiveProvider = () => world.ask(ArchiveProvider, { provider_id: doomed.provider_id });
  expect(await archiveProvider()).toMatchObject({ refusal: { code: 'workspaces_active', details: { workspaces: 1 } } });
  await world.database.query(`UPDATE workspaces SET status = 'stopped', pod_generation = NULL WHERE id = $1`, [workspace.id]);
  expect(await archiveProvider()).toEqual({ status: 'done', value: { status: 'archived', cascaded_roles: 1 } });
  expect(await archiveProvider()).toEqual({ status: 'done', value: { status: 'archived', cascaded_roles: 0 } });
  const resume = () => world.ask(ResumeWorkspace, { workspace_id: workspace.id });
  expect(await resume()).toMatchObject({ refusal: { code: 'role_archived' } });
  expect(await world.ask(CreateWorkspace, { role_id: doomed.id })).toMatchObject({ refusal: { code: 'role_archived' } });
  const unarchiveRole = () => world.ask(UnarchiveRole, { role_id: doomed.id });
  expect(await unarchiveRole()).toMatchObject({ refusal: { code: 'provider_archived' } });
  await world.database.query(`UPDATE roles SET archived_at = NULL WHERE id = $1`, [doomed.id]);
  expect(await unarchiveRole()).toMatchObject({ refusal: { code: 'not_archived' } });
  expect(await resume()).toMatchObject({ refusal: { code: 'provider_archived' } });
  expect(await world.ask(CreateRole, { name: 'next', provider_id: doomed.provider_id, command: ['cat'] })).toMatchObject({
    refusal: { code: 'provider_archived' },
  });
});

describe.each([
  ['role', ArchiveRole, (role: RoleView) => ({ role_id: role.id })],
  ['provider', ArchiveProvider, (role: RoleView) => ({ provider_id: role.provider_id })],
] as const)('a %s that is archived while a workspace of it is brought up', (kind, Archive, which) => {
  const attempts = Array.from({ length: 12 }, (_, i) => i);
  const archived = (id: string) =>
    world.database
      .query(`SELECT coalesce(r.archived_at, p.archived_at) AS at FROM roles r JOIN providers p ON p.id = r.provider_id WHERE r.id = $1`, [
        id,
      ])
      .then(([row]) => row.at !== null);
  const running = (id: string) =>
    world.database
      .query(`SELECT count(*)::int AS count FROM workspaces WHERE role_id = $1 AND status NOT IN ('stopped', 'failed')`, [id])
      .then(([row]) => row.count as number);

  it('by a create is refused, or refuses the create', async () => {
    await Promise.all(
      attempts.map(async (i) => {
        const raced = await world.role(`raced-${kind}-${i}`);
        const [create, archive] = await Promise.all([world.ask(CreateWorkspace, { role_id: raced.id }), world.ask(Archive, which(raced))]);
        expect([create.status, archive.status].sort()).toEqual(['done', 'refused']);
        expect(await archived(raced.id)).toBe((await running(raced.id)) === 0);
      }),
    );
  });

  it('by a resume is refused, or refuses the resume', async () => {
    const stopped = async (name: string) => {
      const raced = await world.role(name);
      const { id } = await world.idleWorkspace(raced);
      await world.database.query(`UPDATE workspaces SET status = 'stopped', pod_generation = NULL WHERE id = $1`, [id]);
      return { raced, id };
    };
    const made = await Promise.all(attempts.map((i) => stopped(`resumed-${kind}-${i}`)));
    await Promise.all(
      made.map(async ({ raced, id }) => {
        const [resume, archive] = await Promise.all([world.ask(ResumeWorkspace, { workspace_id: id }), world.ask(Archive, which(raced))]);
        expect([resume.status, archive.status].sort()).toEqual(['done', 'refused']);
        expect(await archived(raced.id)).toBe((await running(raced.id)) === 0);
      }),
    );
  });

  it('between the look of a resume and its write, the resume is refused', async () => {
    const raced = await world.role(`between-${kind}`);
    const { id } = await world.idleWorkspace(raced);
    await world.database.query(`UPDATE workspaces SET status = 'stopped', pod_generation = NULL WHERE id = $1`, [id]);
    const workspaces = world.lifecycle.get(WorkspacesRepository);
    const load = workspaces.load.bind(workspaces);
    const looked = jest.spyOn(workspaces, 'load').mockImplementationOnce(async (...args) => {
      const found = await load(...args);
      await world.done(Archive, which(raced));
      return found;
    });
    expect(await world.ask(ResumeWorkspace, { workspace_id: id })).toMatchObject({ refusal: { code: 'role_archived' } });
    expect(looked).toHaveBeenCalledTimes(2);
    looked.mockRestore();
    expect(await running(raced.id)).toBe(0);
  });
});

it('a changed role makes its pods stale, and a taken name is refused', async () => {
  const fresh = await world.role('fresh');
  const workspace = await world.idleWorkspace(fresh);
  expect((await world.done<RoleView>(ChangeRole, { role_id: fresh.id, command: ['tee', 'x'] })).version).toBe(2);
  expect((await world.get(workspace.id)).pack_status).toBe('stale');
  expect(await world.ask(ChangeRole, { role_id: fresh.id, name: 'coder' })).toMatchObject({ refusal: { code: 'name_taken' } });
});

it("a role's runtime goes with every pod command, as it is then, and is replaced as a whole", async () => {
  const fresh = await world.role('limited');
  expect(fresh.runtime).toEqual({});
  const workspace = await world.idleWorkspace(fresh);
  const runtime = {
    image: 'registry.example:5000/team/image:1.2',
    cpus: 0.5,
    memory_mb: 512,
    pids: 100,
    disk_mb: 1024,
    read_only_root: true,
  };
  expect((await world.done<RoleView>(ChangeRole, { role_id: fresh.id, runtime })).runtime).toEqual(runtime);
  await world.done(RestartWorkspace, { workspace_id: workspace.id });
  const ofThis = ({ workspace_id }: ReplacePod): boolean => workspace_id === workspace.id;
  let command = await world.toProvisioner<ReplacePod>(ReplacePod);
  while (!ofThis(command)) command = await world.toProvisioner<ReplacePod>(ReplacePod);
  expect(command.spec.runtime).toEqual(runtime);
  expect((await world.done<RoleView>(ChangeRole, { role_id: fresh.id, runtime: { cpus: 2 } })).runtime).toEqual({ cpus: 2 });
});

it('an internal service restarts without a reply and learns of acceptance and outcome by correlation id', async () => {
  const workspace = await world.idleWorkspace(role);
  const id = await world.tell(RestartWorkspace, { workspace_id: workspace.id });
  const accepted = await world.nextEvent(CommandAccepted);
  expect(accepted).toMatchObject({ correlationId: id, data: { command_id: id, answer: { status: 'restarting' } } });
  const operationId = (accepted.data.answer as { operation_id: string }).operation_id;
  await world.podReady(await world.operation(operationId), role, newId('snapshot'));
  expect(await world.nextEvent(OperationSucceeded)).toMatchObject({ correlationId: id, data: { operation_id: operationId } });
});

it('an internal service that is refused learns the code, once, and nothing changed', async () => {
  const workspace = await world.idleWorkspace(role);
  const id = await world.tell(ResumeWorkspace, { workspace_id: workspace.id });
  expect(await world.nextEvent(CommandRefused)).toMatchObject({
    correlationId: id,
    data: { command_id: id, code: 'invalid_state', details: { status: 'idle' } },
  });
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', generation: 1 });
});

it('an internal service is on record by the broker user that the broker has checked, and never as a user of REST', async () => {
  const workspace = await world.idleWorkspace(role);
  await world.tell(StopWorkspace, { workspace_id: workspace.id }, { headers: { cloudEvents_actor: 'alice' } });
  const { operation_id: operationId } = (await world.nextEvent(CommandAccepted)).data.answer as { operation_id: string };
  expect(await world.operation(operationId)).toMatchObject({ requested_by: `service:${world.service.user}/alice` });

  await world.tell(CreateWorkspace, { role_id: role.id }, { headers: { cloudEvents_actor: 'bob' } });
  const { id } = (await world.nextEvent(CommandAccepted)).data.answer as { id: string };
  expect(await world.get(id)).toMatchObject({ created_by_user_id: `service:${world.service.user}/bob` });
  const bob = { sub: 'bob', own_only: true };
  expect(await world.ask(GetWorkspace, { workspace_id: id, caller: bob })).toMatchObject({ refusal: { code: 'workspace_not_visible' } });
});

it('a command whose sender the broker has not checked is refused, asked or told', async () => {
  const workspace = await world.idleWorkspace(role);
  await world.tell(StopWorkspace, { workspace_id: workspace.id }, { userId: undefined });
  expect((await world.nextEvent(CommandRefused)).data).toMatchObject({
    code: 'unauthenticated',
    message: expect.stringContaining('user-id'),
  });
  expect(await world.get(workspace.id)).toMatchObject({ status: 'idle', generation: 1 });
});

it('nobody but the gateway names a caller or an idempotency key', async () => {
  const caller = { sub: 'alice', own_only: false };
  const idempotency = { key: 'k', request_hash: 'a'.repeat(64) };
  await world.tell(CreateWorkspace, { role_id: role.id, caller, idempotency });
  expect((await world.nextEvent(CommandRefused)).data).toMatchObject({
    code: 'validation_error',
    details: { fields: { caller: expect.any(String), idempotency: expect.any(String) } },
  });
  expect(await world.ask(FindIdempotentReply, { key: 'k', request_hash: 'a'.repeat(64) })).toMatchObject({ value: { found: false } });
});

it('a tenant whose billing is not in order cannot be added to by way of the broker either', async () => {
  const workspace = await world.idleWorkspace(role);
  // Messages of the gateway's broker user have been checked; this one says it comes from nobody.
  await world.setPosture('acme', 'past_due');
  try {
    const id = await world.tell(RestartWorkspace, { workspace_id: workspace.id });
    expect(await world.nextEvent(CommandRefused)).toMatchObject({
      correlationId: id,
      data: { code: 'billing_inactive', details: { posture: 'past_due' } },
    });
    await world.tell(StopWorkspace, { workspace_id: workspace.id });
    expect((await world.nextEvent(CommandAccepted)).data).toMatchObject({ answer: { status: 'stopping' } });
  } finally {
    await world.setPosture('acme', 'active');
  }
});

it('a command without a tenant is a dead letter', async () => {
  const before = await world.deadLetters();
  await world.tell(RestartWorkspace, { workspace_id: newId('workspace') }, { org: '' });
  await world.tell(SubmitTask, { workspace_id: newId('workspace'), description: 'x' }, { org: '' });
  await waitFor(async () => (await world.deadLetters()) === before + 2, 'two dead letters');
});
