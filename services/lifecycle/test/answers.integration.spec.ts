import {
  type ErrorCode,
  GetProvider,
  GetRole,
  GetTask,
  ListProviders,
  ListRoles,
  ListTasks,
  type MessageClass,
  newId,
  type ProviderView,
  type RoleView,
  SubmitTask,
  type TaskView,
} from '@reprise/contracts';
import { RequestFailedError } from '@reprise/messaging';
import { World } from './support/world';

const CALLER = { sub: 'alice', own_only: false };
const MEBIBYTE = 1_048_576;

let world: World;
let role: RoleView;

beforeAll(async () => {
  world = await World.create();
  await world.setPosture('acme', 'active');
  role = await world.role('coder');
});

afterAll(() => world?.close());

type Page = Record<string, { id: string }[]> & { cursor?: string };

/** Every page of a list, one after the other. */
async function pages(message: MessageClass, data: object = {}): Promise<Page[]> {
  const all: Page[] = [];
  for (let cursor: string | undefined; all.length === 0 || cursor !== undefined;) {
    const page: Page = await world.done(message, { include_archived: false, limit: 200, caller: CALLER, ...data, cursor });
    all.push(page);
    cursor = page.cursor;
  }
  return all;
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Rows as an older release may have left them, larger than any command makes them now. */
async function insertProviders(count: number, bytes: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId('provider'));
  await world.database.query(
    `INSERT INTO providers (id, org_id, name, kind, config, created_at, updated_at)
     SELECT id, 'acme', 'large-' || id, 'none', jsonb_build_object('text', repeat('x', $2)), now(), now() FROM unnest($1::text[]) AS id`,
    [ids, bytes],
  );
  return ids;
}

it('a list of 140 providers with a megabyte of config each has none of it; a single one is read whole', async () => {
  const ids = await insertProviders(140, MEBIBYTE);
  const [page, ...more] = await pages(ListProviders);
  expect(more).toEqual([]);
  expect(bytesOf(page)).toBeLessThan(100_000);
  expect(page?.providers?.[0]).toEqual(expect.not.objectContaining({ config: expect.anything() }));
  const whole = await world.done<ProviderView>(GetProvider, { provider_id: ids[0], with_values: true, caller: CALLER });
  expect(bytesOf(whole.config)).toBeGreaterThan(MEBIBYTE);
});

it('a page of large roles ends by its bytes, and the pages together have each role once', async () => {
  const ids = Array.from({ length: 12 }, () => newId('role')).reverse();
  await world.database.query(
    `INSERT INTO roles (id, org_id, provider_id, name, display_name, command, env, task_timeout_seconds, idle_timeout_seconds, runtime, on_pod_lost,
                        version, created_at, updated_at)
     SELECT id, 'acme', $2, 'large-' || n, '', jsonb_build_array(repeat('x', CASE n WHEN 5 THEN 3000000 ELSE 400000 END)), '{"A":"b"}', 60, 0, '{}',
            'fail', 1, now(), now() FROM unnest($1::text[]) WITH ORDINALITY AS t(id, n)`,
    [ids, role.provider_id],
  );
  const all = await pages(ListRoles);
  expect(all.length).toBeGreaterThan(5);
  expect(all.flatMap(({ roles }) => roles?.map(({ id }) => id))).toEqual([...ids, role.id]);
  for (const { roles = [] } of all) {
    expect(roles.length === 1 || bytesOf(roles) < 1.1 * MEBIBYTE).toBe(true);
    for (const each of roles) expect(each).toMatchObject({ command: [expect.any(String)] });
    for (const each of roles) for (const field of ['env', 'secret_env']) expect(each).not.toHaveProperty(field);
  }
  expect(await world.done(GetRole, { role_id: ids[0], with_values: true, caller: CALLER })).toHaveProperty('env', { A: 'b' });
});

it('a list of tasks has no output and the beginning of a long text; a single one is read whole', async () => {
  const workspace = await world.idleWorkspace(role);
  const description = 'd\u{1f600}'.repeat(1_000);
  const { task_id } = await world.done<{ task_id: string }>(SubmitTask, { workspace_id: workspace.id, description, caller: CALLER });
  await world.database.query(`UPDATE tasks SET output = repeat('o', 500000) WHERE id = $1`, [task_id]);
  const task = { workspace_id: workspace.id, caller: CALLER };
  const { tasks } = await world.done<{ tasks: TaskView[] }>(ListTasks, { ...task, limit: 50 });
  expect(tasks).toEqual([expect.objectContaining({ id: task_id, description: 'd\u{1f600}'.repeat(250), description_truncated: true })]);
  expect(tasks[0]).not.toHaveProperty('output');
  const whole = await world.done<TaskView>(GetTask, { ...task, task_id });
  expect(whole).toMatchObject({ description, output: 'o'.repeat(500_000) });
  expect(whole).not.toHaveProperty('description_truncated');
});

it('an answer too large for a reply is told as such, and costs nobody else an answer', async () => {
  const [id] = await insertProviders(1, 9 * MEBIBYTE);
  const missing = (): Promise<unknown> => world.ask(GetProvider, { provider_id: newId('provider'), caller: CALLER });
  const refused = { status: 'refused', refusal: expect.objectContaining({ code: 'provider_not_found' satisfies ErrorCode }) };
  const others = [missing(), missing()];
  const asked = world.ask(GetProvider, { provider_id: id, with_values: true, caller: CALLER }).catch((error: unknown) => error);
  others.push(missing());
  const failed = await asked;
  expect(failed).toBeInstanceOf(RequestFailedError);
  expect(failed).toMatchObject({ reason: 'reply_too_large', message: expect.stringMatching(/ has 9\d{6} bytes/) });
  expect(await Promise.all([...others, missing()])).toEqual([refused, refused, refused, refused]);
});
