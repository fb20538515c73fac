import { newId } from '@reprise/contracts';
import { type Caller, eventually, expectRefusal, must, promise, type Tenant, unique, useStack } from './support';
import { type Ids, nameOf, type Route, ROUTES } from './support/routes';

const stack = useStack({ settings: { gateway: { QUERY_TIMEOUT_MS: '1500', RESEND_EVERY_MS: '400' } } });
const DAY = 86_400_000;

/** Well-formed ids of nothing: who passes billing meets the 404 behind it, and nothing changes. */
const nothing = (): Ids => ({
  idle: newId('workspace'),
  stopped: newId('workspace'),
  operation: newId('operation'),
  task: newId('task'),
  role: newId('role'),
  provider: newId('provider'),
  spare: newId('provider'),
});

async function call(caller: Caller, { method, path, body }: Route) {
  const ids = nothing();
  return stack.api.send(method, path(ids), body?.(ids, unique('name')), { token: caller.token });
}

const BILLED = [
  { what: 'active', set: (tenant: Tenant) => tenant.posture('active'), refusal: null },
  { what: 'on a trial', set: (tenant: Tenant) => tenant.posture('trial', new Date(Date.now() + DAY)), refusal: null },
  {
    what: 'past the end of its trial',
    set: (tenant: Tenant) => tenant.posture('trial', new Date(Date.now() - DAY)),
    refusal: { code: 'billing_inactive', details: { posture: 'trial' } },
  },
  {
    what: 'past due',
    set: (tenant: Tenant) => tenant.posture('past_due'),
    refusal: { code: 'billing_inactive', details: { posture: 'past_due' } },
  },
  {
    what: 'decommissioning',
    set: (tenant: Tenant) => tenant.posture('decommissioning'),
    refusal: { code: 'billing_inactive', details: { posture: 'decommissioning' } },
  },
  { what: 'unknown', set: null, refusal: { code: 'tenant_unknown', details: undefined } },
] as const;

describe.each(BILLED)('a tenant that is $what', ({ set, refusal }) => {
  let caller: Caller;
  beforeAll(async () => {
    const tenant = await stack.tenant();
    if (set) await set(tenant);
    caller = set ? tenant.alice : stack.tenantUnknownToBilling().alice;
  });

  for (const route of ROUTES) {
    const refused = route.adds ? refusal : null;
    promise(`${refused ? `is refused ${refused.code} by` : 'passes billing in'} ${nameOf(route)}`, async () => {
      const answer = await call(caller, route);
      if (refused) expectRefusal(answer, refused.code, refused.details);
      else expect([200, 201, 404]).toContain(answer.status);
    });
  }
});

promise('a tenant that is past due may wind down all that it has, and a refusal changes nothing', async () => {
  const tenant = await stack.tenant();
  const { alice } = tenant;
  const role = await alice.role();
  const { id } = await alice.workspace({ role_id: role.id });
  const idle = await alice.workspace({ role_id: role.id });
  const task = await alice.running(id, 'sleep 600');
  await tenant.posture('past_due');

  const before = [await alice.see(id), await alice.see(idle.id)];
  const billing = { posture: 'past_due' };
  expectRefusal(await alice.post('/v1/workspaces', { role_id: role.id }), 'billing_inactive', billing);
  expectRefusal(await alice.post(`/v1/workspaces/${id}/restart?force=true`), 'billing_inactive', billing);
  expectRefusal(await alice.post(`/v1/workspaces/${idle.id}/restart`), 'billing_inactive', billing);
  expectRefusal(await alice.post(`/v1/workspaces/${idle.id}/tasks`, { description: 'echo' }), 'billing_inactive', billing);
  expect([await alice.see(id), await alice.see(idle.id)]).toEqual(before);
  expect(stack.pod(id).generation).toBe(1);

  must(202, await alice.post(`/v1/workspaces/${id}/task/cancel`));
  expect(await alice.taskEnded(id, task)).toMatchObject({ status: 'cancelled' });
  await alice.reach(id, 'idle');
  await alice.stop(id);
  await alice.stop(idle.id);
  must(200, await alice.post(`/v1/workspaces/${id}/archive`));
  expectRefusal(await alice.post(`/v1/workspaces/${id}/unarchive`), 'billing_inactive', billing);
  expectRefusal(await alice.post(`/v1/workspaces/${idle.id}/resume`), 'billing_inactive', billing);
  must(200, await alice.post(`/v1/agent-roles/${role.id}/archive`));
  expect(stack.pods(id)).toEqual([]);
});

promise('a trial ends by itself, when its time has come', async () => {
  const tenant = await stack.tenant();
  const end = new Date(Date.now() + 1_500);
  await tenant.posture('trial', end);
  const provider = () => tenant.alice.post('/v1/providers', { name: unique('provider'), kind: 'none' });
  must(201, await provider());
  await eventually(async () => expectRefusal(await provider(), 'billing_inactive', { posture: 'trial' }));
  expect(Date.now()).toBeGreaterThanOrEqual(end.getTime());
});

promise('a tenant that pays again may add at once', async () => {
  const tenant = await stack.tenant();
  const { id } = await tenant.alice.workspace();
  await tenant.posture('past_due');
  expectRefusal(await tenant.alice.post(`/v1/workspaces/${id}/restart`), 'billing_inactive');
  await tenant.posture('active');
  await tenant.alice.restart(id);
});

promise('a request that was answered before is answered again, whatever billing says now', async () => {
  const tenant = await stack.tenant();
  const { id } = await tenant.alice.workspace();
  const headers = { 'idempotency-key': unique('key') };
  const first = await tenant.alice.post(`/v1/workspaces/${id}/restart`, undefined, { headers });
  await tenant.alice.succeeded(must(202, first).operation_id);
  await tenant.posture('past_due');
  const again = await tenant.alice.post(`/v1/workspaces/${id}/restart`, undefined, { headers });
  expect([again.status, again.body]).toEqual([202, first.body]);
});

describe('while billing is down', () => {
  let tenant: Tenant;
  let remembered: { headers: { 'idempotency-key': string }; body: unknown };
  let id: string;
  let idle: string;

  beforeAll(async () => {
    tenant = await stack.tenant();
    id = (await tenant.alice.workspace()).id;
    idle = (await tenant.alice.workspace()).id;
    const headers = { 'idempotency-key': unique('key') };
    const { body } = await tenant.alice.post(`/v1/workspaces/${idle}/restart`, undefined, { headers });
    await tenant.alice.succeeded(body.operation_id);
    remembered = { headers, body };
    await stack.service('billing').kill();
  });
  afterAll(() => stack.service('billing').start());

  promise('what adds is answered 503 and nothing changes, what reads passes', async () => {
    const { alice } = tenant;
    const before = [await alice.see(id), await alice.see(idle)];
    const adding = ROUTES.filter(({ adds, missing }) => adds && missing !== 'operation_not_found');
    const answers = await Promise.all([
      ...adding.map((route) => call(alice, route)),
      alice.post(`/v1/workspaces/${id}/restart`),
      alice.post(`/v1/workspaces/${id}/tasks`, { description: 'echo' }),
    ]);
    for (const answer of answers) expectRefusal(answer, 'unavailable');
    expect([await alice.see(id), await alice.see(idle)]).toEqual(before);
    expect((await alice.get('/v1/providers')).status).toBe(200);
  });

  promise('a request that was answered before is answered again', async () => {
    const { headers, body } = remembered;
    const again = await tenant.alice.post(`/v1/workspaces/${idle}/restart`, undefined, { headers });
    expect([again.status, again.body]).toEqual([202, body]);
  });

  promise('what winds down is done', async () => {
    const { alice } = tenant;
    await alice.stop(id);
    must(200, await alice.post(`/v1/workspaces/${id}/archive`));
    expect(stack.pods(id)).toEqual([]);
  });
});
