import {
  ArchiveRole,
  CreateWorkspace,
  FindIdempotentReply,
  RestartWorkspace,
  ResumeWorkspace,
  type RoleView,
  StopWorkspace,
  type WorkspaceView,
  newId,
} from '@reprise/contracts';
import { runMigrations } from '@reprise/platform/migrations';
import { DataSource } from 'typeorm';
import { TestDatabase } from '../../../libs/messaging/test/support';
import { KeysOfCallers1765007000000 } from '../src/migrations/1765007000000-keys-of-callers';
import { MIGRATIONS, SCHEMA } from '../src/migrations';
import { World } from './support/world';

const HASH = 'a'.repeat(64);
const ALICE = { caller: { sub: 'alice', own_only: false } };
const BOB = { caller: { sub: 'bob', own_only: false } };
const NARROW_ALICE = { caller: { sub: 'alice', own_only: true } };
const NARROW_BOB = { caller: { sub: 'bob', own_only: true } };

let world: World;
let role: RoleView;

beforeAll(async () => {
  world = await World.create();
  await world.setPosture('acme', 'active');
  role = await world.role('coder');
});

afterAll(() => world?.close());

const keyed = (key: string, data: object = {}) => ({ ...data, idempotency: { key, request_hash: HASH } });
const callersOf = async (key: string): Promise<string[]> =>
  (await world.database.query<{ caller: string }[]>(`SELECT caller FROM idempotency_keys WHERE key = $1 ORDER BY caller`, [key])).map(
    ({ caller }) => caller,
  );

it('a second caller with the first one’s key gets a workspace of its own, and each keeps its answer', async () => {
  const create = (caller: object) => world.done<WorkspaceView>(CreateWorkspace, keyed('shared', { role_id: role.id, ...caller }));
  const [hers, his] = [await create(ALICE), await create(BOB)];
  expect([hers.created_by_user_id, his.created_by_user_id]).toEqual(['alice', 'bob']);
  expect(his.id).not.toBe(hers.id);
  expect([await create(ALICE), await create(BOB)]).toEqual([hers, his]);
  const other = { key: 'shared', request_hash: 'b'.repeat(64) };
  expect(await world.ask(CreateWorkspace, { role_id: role.id, ...BOB, idempotency: other })).toMatchObject({
    refusal: { code: 'idempotency_key_reused' },
  });
});

it('two callers with one key at once get two workspaces', async () => {
  const create = ({ caller }: typeof ALICE) => world.done<WorkspaceView>(CreateWorkspace, keyed('at-once', { role_id: role.id, caller }));
  const made = await Promise.all(Array.from({ length: 20 }, (_, i) => create(i % 2 ? ALICE : BOB)));
  expect(new Set(made.map(({ id, created_by_user_id: by }) => `${by} ${id}`)).size).toBe(2);
  expect(new Set(made.map(({ created_by_user_id: by }) => by))).toEqual(new Set(['alice', 'bob']));
});

it('a second caller’s refusal by creator is not remembered, and the first one’s answer is unaffected', async () => {
  const { id } = await world.idleWorkspace(role);
  const restart = (caller: object) => world.ask(RestartWorkspace, keyed('refused', { workspace_id: id, ...caller }));
  const refused = { refusal: { code: 'permission_denied', details: { required: ['workspace:write'] } } };
  expect(await restart(NARROW_BOB)).toMatchObject(refused);
  expect(await callersOf('refused')).toEqual([]);
  const first = await restart(ALICE);
  expect(first).toMatchObject({ value: { status: 'restarting' } });
  expect(await restart(NARROW_BOB)).toMatchObject(refused);
  expect(await restart(ALICE)).toEqual(first);
  // With a wider scope it is another matter, and judged then.
  expect(await restart(BOB)).toMatchObject({ refusal: { code: 'invalid_state' } });
  expect(await restart(ALICE)).toEqual(first);
  expect(await callersOf('refused')).toEqual(['alice', 'bob']);
});

it('a caller whose scope was narrowed since is refused by creator before its own remembered answer', async () => {
  const { id } = await world.idleWorkspace(role, BOB);
  const restart = (caller: object) => world.ask(RestartWorkspace, keyed('narrowed', { workspace_id: id, ...caller }));
  const first = await restart(ALICE);
  expect(first).toMatchObject({ value: { status: 'restarting' } });
  expect(await restart(NARROW_ALICE)).toMatchObject({ refusal: { code: 'permission_denied' } });
  const find = (data: object) => world.done(FindIdempotentReply, { key: 'narrowed', request_hash: HASH, ...data });
  expect(await find({ workspace_id: id, ...NARROW_ALICE })).toEqual({ found: false });
  expect(await find({ workspace_id: id, ...ALICE })).toEqual({ found: true, reply: first });
  expect(await find({ workspace_id: id, ...BOB })).toEqual({ found: false });
});

it('a key in the middle of its first use holds up that caller alone, who is told to repeat the request', async () => {
  const create = (caller: object) => world.ask<WorkspaceView>(CreateWorkspace, keyed('held', { role_id: role.id, ...caller }));
  const other = world.database.createQueryRunner();
  await other.startTransaction();
  try {
    await other.query(
      `INSERT INTO idempotency_keys (org_id, caller, key, request_hash, reply, created_at) VALUES ('acme', 'alice', 'held', $1, '{}', now())`,
      [HASH],
    );
    const [hers, his] = await Promise.all([create(ALICE), create(BOB)]);
    expect(hers).toMatchObject({ refusal: { code: 'idempotency_in_progress' } });
    expect(his).toMatchObject({ value: { created_by_user_id: 'bob' } });
  } finally {
    await other.rollbackTransaction();
    await other.release();
  }
  expect(await create(ALICE)).toMatchObject({ value: { created_by_user_id: 'alice' } });
});

describe('rows of a version that knew no callers', () => {
  const at = new Date('2026-11-01T10:00:00.000Z');
  const old = (database: DataSource, key: string, reply: object) =>
    database.query(
      `INSERT INTO "${SCHEMA}".idempotency_keys (org_id, key, request_hash, reply, created_at) VALUES ('acme', $1, $2, $3::jsonb, $4)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [key, HASH, JSON.stringify(reply), at],
    );
  const audited = (database: DataSource, actor: string) =>
    database.query(
      `INSERT INTO "${SCHEMA}".audit_log (at, org_id, actor, action, subject, message_id, detail) VALUES ($1, 'acme', $2, 'x', 'x', 'x', '{}')`,
      [at, actor],
    );
  const done = { status: 'done', value: { status: 'stopping', operation_id: newId('operation') } };

  it('are answers of the caller whom the audit log names, and of nobody else', async () => {
    const { id } = await world.idleWorkspace(role);
    await audited(world.database, 'alice');
    await old(world.database, 'old-key', done);
    const stop = (caller: object) => world.ask(StopWorkspace, keyed('old-key', { workspace_id: id, ...caller }));
    expect(await stop(ALICE)).toEqual(done);
    const his = await stop(BOB);
    expect(his).toMatchObject({ value: { status: 'stopping', operation_id: expect.not.stringContaining(done.value.operation_id) } });
    expect([await stop(ALICE), await stop(BOB)]).toEqual([done, his]);
    expect(await callersOf('old-key')).toEqual(['', 'bob']);
  });

  it('that refuse are given to whoever repeats the request, but for those about their caller', async () => {
    const refused = (code: string) => ({ status: 'refused', refusal: { code, message: 'as then' } });
    await old(world.database, 'old-refusal', refused('workspaces_active'));
    await old(world.database, 'old-403', refused('permission_denied'));
    const archive = (key: string) => world.ask(ArchiveRole, keyed(key, { role_id: newId('role'), ...BOB }));
    expect(await archive('old-refusal')).toEqual(refused('workspaces_active'));
    expect(await archive('old-403')).toMatchObject({ refusal: { code: 'role_not_found' } });
  });

  it('cannot be added where the key has an answer already: a replica of that version finds this one', async () => {
    const { id } = await world.idleWorkspace(role);
    const first = await world.ask(ResumeWorkspace, keyed('mixed', { workspace_id: id, ...ALICE }));
    expect(await old(world.database, 'mixed', done)).toEqual([]);
    const [row] = await world.database.query(`SELECT reply FROM idempotency_keys WHERE org_id = 'acme' AND key = 'mixed'`);
    expect(row.reply).toEqual(first);
  });

  it('are all there after the migration', async () => {
    const database = await TestDatabase.create();
    const connection = await database.connect(SCHEMA);
    const migrate = (migrations: typeof MIGRATIONS) =>
      runMigrations({ url: database.url, schema: SCHEMA, migrations, applicationName: 'test' });
    try {
      await migrate(MIGRATIONS.slice(0, MIGRATIONS.indexOf(KeysOfCallers1765007000000)));
      for (const key of ['one', 'two']) await old(connection, key, done);
      await migrate(MIGRATIONS);
      expect(await connection.query(`SELECT key, caller, reply FROM "${SCHEMA}".idempotency_keys ORDER BY key`)).toEqual([
        { key: 'one', caller: '', reply: done },
        { key: 'two', caller: '', reply: done },
      ]);
    } finally {
      await connection.destroy();
      await database.drop();
    }
  });
});
