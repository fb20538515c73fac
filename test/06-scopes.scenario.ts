import type { ErrorCode } from '@reprise/contracts';
import { ALL_SCOPES, type Caller, expectRefusal, must, promise, type Tenant, unique, useStack } from './support';
import { type Ids, nameOf, type Route, ROUTES } from './support/routes';

const stack = useStack();
let tenant: Tenant;
let other: Tenant;
let ids: Ids;

beforeAll(async () => {
  [tenant, other] = [await stack.tenant(), await stack.tenant()];
  const { alice } = tenant;
  const [provider, spare] = [await alice.provider(), await alice.provider()];
  const role = await alice.role({ provider_id: provider.id });
  const [idle, stopped] = [await alice.workspace({ role_id: role.id }), await alice.workspace({ role_id: role.id })];
  const task = await alice.run(idle.id, 'echo');
  await alice.reach(idle.id, 'idle');
  await alice.stop(stopped.id);
  const operation = await alice.restart(idle.id);
  ids = {
    idle: idle.id,
    stopped: stopped.id,
    operation: operation.id,
    task: task.id,
    role: role.id,
    provider: provider.id,
    spare: spare.id,
  };
});

const call = ({ method, path, body }: Route, token: string | undefined, on: Ids = ids) =>
  stack.api.send(method, path(on), body?.(on, unique('name')), { token });

const hasOwn = ({ scope }: Route) => scope !== null && scope !== 'caps:write';
const bothForms = (route: Route) => (hasOwn(route) ? [route.scope!, `${route.scope}:own`] : [route.scope!]);

describe.each(ROUTES.map((route) => ({ name: nameOf(route), route })))('$name', ({ route }) => {
  const { scope, missing, permitted } = route;

  promise('refuses whoever has no token', async () => {
    expectRefusal(await call(route, undefined), 'unauthenticated');
  });

  if (scope === null) {
    promise('answers whoever has a token, whatever it allows', async () => {
      expect((await call(route, tenant.as('bob', []).token)).status).toBe(permitted);
    });
  } else {
    promise(`refuses whoever has every scope but ${scope}, and names what is required`, async () => {
      const others = [...ALL_SCOPES, 'ops:read', 'ops:write', 'workspace:read:own', 'workspace:write:own', 'tasks:write:own'];
      const { token } = tenant.as(
        'alice',
        others.filter((each) => !bothForms(route).includes(each)),
      );
      const answer = await call(route, token);
      expectRefusal(answer, 'permission_denied');
      expect([...answer.body.error.details.required].sort()).toEqual(bothForms(route).sort());
    });

    promise(`lets ${scope} pass, for what another created as well`, async () => {
      const answer = await call(route, tenant.as('bob', [scope]).token);
      expect({ status: answer.status, body: answer.body }).toMatchObject({ status: permitted });
    });
  }

  if (hasOwn(route)) {
    const own = `${scope}:own`;
    promise(`lets ${own} pass for its creator`, async () => {
      const answer = await call(route, tenant.as('alice', [own]).token);
      expect({ status: answer.status, body: answer.body }).toMatchObject({ status: permitted });
    });

    if (missing) {
      const code: ErrorCode = scope === 'workspace:read' ? 'workspace_not_visible' : 'permission_denied';
      promise(`refuses ${own} to another with ${code}`, async () => {
        const answer = await call(route, tenant.as('bob', [own]).token);
        expectRefusal(answer, code);
        if (code === 'permission_denied') expect(answer.body.error.details.required).toEqual([scope]);
      });
      promise('lets the unscoped form win where a token holds both', async () => {
        expect((await call(route, tenant.as('bob', [own, scope!]).token)).status).toBe(permitted);
      });
    }
  }

  if (missing) {
    promise('does not exist for another tenant, nor for an id of the wrong form, and both look the same', async () => {
      const right = other.alice.token;
      const foreign = await call(route, right);
      expectRefusal(foreign, missing);
      const bad = [
        'nonsense',
        'ws_short',
        'op_00000000000000000000000000',
        '00000000-0000-0000-0000-000000000000',
        '%00',
        "'--",
        'x'.repeat(300),
      ];
      for (const id of [...bad, ids.idle.toUpperCase(), `${ids.idle}0`]) {
        const all = Object.fromEntries(Object.keys(ids).map((key) => [key, id])) as unknown as Ids;
        const answer = await call(route, tenant.alice.token, all);
        expectRefusal(answer, missing);
        expect(withoutId(answer.body)).toEqual(withoutId(foreign.body));
      }
    });
  }
});

promise('a list with :own holds what the caller created and nothing else', async () => {
  const bob = tenant.as('bob');
  const { id } = must(201, await bob.post('/v1/workspaces', { role_id: ids.role }));
  const listed = async (caller: Caller) =>
    must(200, await caller.get('/v1/workspaces?limit=200')).workspaces.map((each: { id: string }) => each.id) as string[];
  const own = await listed(tenant.as('bob', ['workspace:read:own']));
  expect(own).toContain(id);
  expect(own).not.toContain(ids.idle);
  expect(await listed(tenant.as('bob', ['workspace:read']))).toEqual(expect.arrayContaining([id, ids.idle]));
  expect(await listed(tenant.as('carol', ['workspace:read:own']))).toEqual([]);
});

promise("another tenant's lists are empty, and what they name is not there", async () => {
  for (const path of ['/v1/workspaces', '/v1/agent-roles', '/v1/providers']) {
    const [list] = Object.values(must(200, await other.alice.get<Record<string, unknown[]>>(path)));
    expect(list).toEqual([]);
  }
  expectRefusal(await other.alice.post('/v1/workspaces', { role_id: ids.role }), 'role_not_found');
  expectRefusal(
    await other.alice.post('/v1/agent-roles', { name: 'thief', command: ['sh'], provider_id: ids.provider }),
    'provider_not_found',
  );
  const mine = must(200, await tenant.alice.get(`/v1/agent-roles/${ids.role}`));
  expectRefusal(await other.alice.get(`/v1/workspaces?role_name=${mine.name}`), 'role_not_found');
});

promise('a task of one workspace is not a task of another', async () => {
  expectRefusal(await tenant.alice.get(`/v1/workspaces/${ids.stopped}/tasks/${ids.task}`), 'task_not_found');
});

function withoutId({ error }: { error: Record<string, unknown> }) {
  return { ...error, request_id: undefined };
}
