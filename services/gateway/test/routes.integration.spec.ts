import { GetTenantPosture } from '@reprise/contracts';
import { ALL, GatewayUnderTest, Refuse, type Route, ROUTES } from './support';

let gateway: GatewayUnderTest;
const named = ROUTES.map((route): [string, Route] => [`${route.method} ${route.path}`, route]);
const ANSWER = { answer: 'of lifecycle' };

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  await gateway.others.answer(GetTenantPosture, ({ data }) => {
    if (data.org_id === 'stranger') return new Refuse('tenant_unknown');
    const posture = data.org_id === 'debtor' ? 'past_due' : data.org_id === 'expired' ? 'trial' : 'active';
    const trial_ends_at = posture === 'trial' ? '2026-01-01T00:00:00.000Z' : null;
    return { org_id: data.org_id, posture, trial_ends_at, may_add: posture === 'active' };
  });
  for (const { message } of ROUTES) await gateway.others.answer(message, () => ANSWER);
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.others.forget());

const call = ({ method, path, body }: Route, permissions: readonly string[], claims: object = {}) =>
  gateway.call(method, path, { body, token: gateway.issuer.token(permissions, claims) });
const wrongForms = ({ path }: Route): string[] => {
  const [id = ''] = /[a-z]+_[0-9a-z]{26}/.exec(path) ?? [];
  const forms = [
    id.slice(0, -1),
    id.toUpperCase(),
    `x${id}`,
    'nonsense',
    '%00',
    encodeURIComponent('a/b'),
    'a'.repeat(4000),
    id.replace(/_.*/, '_zzzzzzzzzzzzzzzzzzzzzzzzzz'),
  ];
  return forms.map((form) => path.replace(id, form));
};

describe.each(named)('%s', (_, route) => {
  const others = ALL.filter((scope) => scope !== route.scope);

  it('becomes one message for the org, by the caller, and answers with what that was answered', async () => {
    const { status, body } = await call(route, ALL);
    expect([status, body]).toEqual([route.status, ANSWER]);
    const [sent, ...more] = gateway.others.of(route.message);
    expect(more).toEqual([]);
    const subject = (route.data as { workspace_id?: string }).workspace_id;
    expect(sent).toMatchObject({ orgId: 'acme', actor: 'alice', subject });
    expect(sent?.data).toEqual({ ...route.data, caller: { sub: 'alice', own_only: false } });
  });

  it('needs a token', async () => {
    const answered = await gateway.call(route.method, route.path, { token: null, body: route.body });
    expect([answered.status, answered.body.error.code]).toEqual([401, 'unauthenticated']);
    expect(answered.headers.get('www-authenticate')).toBe('Bearer realm="reprise"');
    expect(gateway.others.received).toEqual([]);
  });

  it('needs its scope', async () => {
    const none = await call(route, []);
    const wrong = await call(route, [...others, ...others.map((scope) => `${scope}:own`), 'ops:read', 'ops:write']);
    if (route.scope === null) {
      expect([none.status, wrong.status]).toEqual([200, 200]);
      return;
    }
    const required = route.scope === 'caps:write' ? [route.scope] : [route.scope, `${route.scope}:own`];
    for (const { status, body } of [none, wrong])
      expect([status, body.error]).toMatchObject([403, { code: 'permission_denied', details: { required } }]);
    expect(gateway.others.received).toEqual([]);
  });

  it('tells lifecycle that a scope with :own reaches no further', async () => {
    if (route.scope === null || route.scope === 'caps:write') return;
    expect((await call(route, [`${route.scope}:own`])).status).toBe(route.status);
    expect(gateway.others.of(route.message)[0]?.data.caller).toEqual({ sub: 'alice', own_only: true });
    gateway.others.forget();
    await call(route, [`${route.scope}:own`, route.scope]);
    expect(gateway.others.of(route.message)[0]?.data.caller).toEqual({ sub: 'alice', own_only: false });
  });

  it('is refused for billing if it adds, and only then', async () => {
    const debtor = await call(route, ALL, { org_id: 'debtor' });
    const expired = await call(route, ALL, { org_id: 'expired' });
    const stranger = await call(route, ALL, { org_id: 'stranger' });
    if (route.adds) {
      expect([debtor.status, debtor.body.error]).toMatchObject([423, { code: 'billing_inactive', details: { posture: 'past_due' } }]);
      expect([expired.status, expired.body.error]).toMatchObject([423, { code: 'billing_inactive', details: { posture: 'trial' } }]);
      expect([stranger.status, stranger.body.error.code]).toEqual([403, 'tenant_unknown']);
      expect(gateway.others.of(route.message)).toEqual([]);
    } else {
      expect([debtor.status, expired.status, stranger.status]).toEqual([route.status, route.status, route.status]);
      expect(gateway.others.of(GetTenantPosture)).toEqual([]);
    }
  });

  it('answers an id of the wrong form as one that does not exist, after billing has had its say', async () => {
    if (route.missing === undefined) return;
    for (const path of wrongForms(route)) {
      const { status, body } = await call({ ...route, path }, ALL);
      expect([path, status, body.error.code]).toEqual([path, 404, route.missing]);
    }
    const [path = ''] = wrongForms(route);
    expect((await call({ ...route, path }, ALL, { org_id: 'debtor' })).status).toBe(route.adds ? 423 : 404);
    expect((await call({ ...route, path }, [])).status).toBe(route.scope === null ? 404 : 403);
    expect(gateway.others.of(route.message)).toEqual([]);
  });

  it('refuses what it does not know, before billing is asked', async () => {
    const query = await call({ ...route, path: `${route.path}?surprise=1` }, ALL, { org_id: 'debtor' });
    expect([query.status, query.body.error]).toMatchObject([
      400,
      { code: 'validation_error', details: { fields: { surprise: expect.any(String) } } },
    ]);
    if (route.method !== 'GET') {
      const body = await call({ ...route, body: { ...route.body, surprise: 1 } }, ALL, { org_id: 'debtor' });
      expect([body.status, body.body.error]).toMatchObject([
        400,
        { code: 'validation_error', details: { fields: { surprise: expect.any(String) } } },
      ]);
    }
    expect(gateway.others.received).toEqual([]);
  });
});
