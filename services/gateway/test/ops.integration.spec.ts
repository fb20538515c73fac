import { ListDeadLetters } from '@reprise/contracts';
import { ALL, AUDIENCE, expectError, GatewayUnderTest, OPS_ROUTES, type Route } from './support';

let gateway: GatewayUnderTest;
const named = OPS_ROUTES.map((route): [string, Route] => [`${route.method} ${route.path}`, route]);
const ANSWER = { answer: 'of the dead letters' };

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  for (const { message } of OPS_ROUTES) await gateway.others.answer(message, () => ANSWER);
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.others.forget());

const call = ({ method, path, body }: Route, permissions: readonly string[], headers: Record<string, string> = {}) =>
  gateway.call(method, path, { body, headers, token: gateway.issuer.token(permissions) });

describe.each(named)('%s', (_, route) => {
  it('becomes one message by the operator, and answers with what that was answered', async () => {
    const { status, body } = await call(route, [route.scope!]);
    expect([status, body]).toEqual([route.status, ANSWER]);
    const [sent, ...more] = gateway.others.of(route.message);
    expect(more).toEqual([]);
    expect(sent).toMatchObject({ actor: 'alice', data: route.data });
    expect(sent?.data).toEqual(route.data);
  });

  it('needs its scope, which no tenant’s has', async () => {
    const other = route.scope === 'ops:read' ? 'ops:write' : 'ops:read';
    for (const permissions of [ALL, [other], [`${route.scope}:own`]]) {
      const { required } = expectError(await call(route, permissions), 403, 'permission_denied');
      expect(required).toEqual([route.scope]);
    }
    expect(gateway.others.received).toEqual([]);
  });

  it('answers an id of the wrong form as one that does not exist, and refuses what it does not know', async () => {
    if (route.missing) {
      const path = route.path.replace(/(dl|rpl|ws)_[0-9a-z]{26}/, 'dl_nonsense');
      expectError(await call({ ...route, path }, [route.scope!]), 404, route.missing);
    }
    expectError(await call({ ...route, path: `${route.path}?surprise=1` }, [route.scope!]), 400, 'validation_error');
    expect(gateway.others.received).toEqual([]);
  });

  it('passes an idempotency key on, if it changes anything', async () => {
    if (route.method === 'GET') return;
    await call(route, ['ops:write'], { 'idempotency-key': 'k' });
    expect(gateway.others.of(route.message)[0]?.data.idempotency).toMatchObject({ key: 'k' });
  });
});

it('a list is cut by what the query says, and a value that cannot be is refused', async () => {
  const token = gateway.issuer.token(['ops:read']);
  const since = '2026-01-01T00:00:00Z';
  await gateway.call('GET', `/v1/ops/dead-letters?type=a.v1&status=open&org_id=acme&since=${since}&limit=7`, { token });
  expect(gateway.others.of(ListDeadLetters)[0]?.data).toEqual({
    limit: 7,
    filter: { type: 'a.v1', status: 'open', org_id: 'acme', since },
  });
  for (const query of ['status=asleep', 'since=yesterday', 'limit=0', `type=${'x'.repeat(256)}`, 'type=a&type=b']) {
    expectError(await gateway.call('GET', `/v1/ops/dead-letters?${query}`, { token }), 400, 'validation_error');
  }
});

describe('a token with the scopes of operators', () => {
  const READ = '/v1/ops/dead-letters';

  it('of an organization that is not one of operators gets 403 on each of their routes', async () => {
    for (const [, { method, path, body }] of named) {
      const token = gateway.issuer.token(['ops:read', 'ops:write'], { org_id: 'tenant' });
      const { required } = expectError(await gateway.call(method, path, { body, token }), 403, 'permission_denied');
      expect(required).toEqual([method === 'GET' ? 'ops:read' : 'ops:write']);
    }
    expect(gateway.others.received).toEqual([]);
  });

  it('for the audience of operators opens their routes and no others', async () => {
    const separate = await GatewayUnderTest.start({ operatorOrgs: [], operatorAudience: 'operators' });
    try {
      await separate.others.answer(ListDeadLetters, () => ANSWER);
      const token = (audience: string | string[]) => separate.issuer.token(['ops:read', 'workspace:read'], {}, { audience });
      const status = async (path: string, audience: string | string[]) =>
        (await separate.call('GET', path, { token: token(audience) })).status;
      expect(await status(READ, 'operators')).toBe(200);
      expect(await status(READ, [AUDIENCE, 'operators'])).toBe(200);
      expect(await status(READ, AUDIENCE)).toBe(403);
      for (const path of ['/v1/workspaces', '/v1/agent-roles']) expect([path, await status(path, 'operators')]).toEqual([path, 401]);
      expect(await status(READ, 'others')).toBe(401);
    } finally {
      await separate.stop();
    }
  });
});
