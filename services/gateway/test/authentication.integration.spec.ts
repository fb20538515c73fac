import { createHmac, generateKeyPairSync } from 'node:crypto';
import { ListRoles, newId, podToken, ReportTask } from '@reprise/contracts';
import { sign } from 'jsonwebtoken';
import { AUDIENCE, GatewayUnderTest, ISSUER, POD_SECRET, TestIssuer } from './support';

const PATH = '/v1/agent-roles';
const CLAIMS = { sub: 'alice', org_id: 'acme', permissions: [] };
const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const inAMinute = () => Math.floor(Date.now() / 1000) + 60;

describe('a token', () => {
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    gateway = await GatewayUnderTest.start();
    await gateway.others.answer(ListRoles, () => ({ roles: [] }));
  });
  afterAll(() => gateway.stop());

  const registered = () => ({ ...CLAIMS, iss: ISSUER, aud: AUDIENCE, exp: inAMinute() });
  const cases: [string, () => string, string][] = [
    ['without a signature (alg none)', () => `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(registered())}.`, 'algorithm'],
    ['with an algorithm None in other letters', () => `${encoded({ alg: 'nOnE' })}.${encoded(registered())}.`, ''],
    [
      'signed with the public key as a shared secret (HS256)',
      () => {
        const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(registered())}`;
        return `${signed}.${createHmac('sha256', gateway.issuer.pem).update(signed).digest('base64url')}`;
      },
      'algorithm',
    ],
    ['signed with an algorithm that is not pinned', () => gateway.issuer.sign(CLAIMS, { algorithm: 'PS256' }), 'algorithm'],
    [
      'of another key',
      () => {
        const other = new TestIssuer();
        other.dispose();
        return other.token([]);
      },
      'signature',
    ],
    [
      'of another kind of key',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        return sign(CLAIMS, privateKey, { algorithm: 'ES256', issuer: ISSUER, audience: AUDIENCE, expiresIn: 60 });
      },
      '',
    ],
    [
      'that has been changed',
      () => gateway.issuer.token([]).replace(/\.[^.]+\./, `.${encoded({ ...registered(), sub: 'bob' })}.`),
      'signature',
    ],
    ['that has expired', () => gateway.issuer.token([], {}, { expiresIn: -1 }), 'expired'],
    ['that never expires', () => gateway.issuer.sign(CLAIMS, { expiresIn: undefined }), 'expiry'],
    ['that is not valid yet', () => gateway.issuer.token([], {}, { notBefore: 60 }), 'not valid yet'],
    ['for another audience', () => gateway.issuer.token([], {}, { audience: 'another' }), 'aud'],
    ['of another issuer', () => gateway.issuer.token([], {}, { issuer: 'https://issuer.test' }), 'iss'],
    ['without sub', () => gateway.issuer.sign({ org_id: 'acme', permissions: [] }), 'sub'],
    ['without org_id', () => gateway.issuer.sign({ sub: 'alice', permissions: [] }), 'org_id'],
    ['without permissions', () => gateway.issuer.sign({ sub: 'alice', org_id: 'acme' }), 'permissions'],
    ['with permissions that are a text', () => gateway.issuer.sign({ ...CLAIMS, permissions: 'caps:write' }), 'permissions'],
    ['that is no token', () => 'rubbish', ''],
    ['that is almost one', () => 'a.b.c', ''],
    ['of a pod', () => podToken(POD_SECRET, { workspaceId: newId('workspace'), generation: 1 }), ''],
  ];

  it.each(cases)('%s is refused with 401, a challenge and the reason', async (_, token, reason) => {
    const { status, headers, body } = await gateway.call('GET', PATH, { token: token() });
    expect([status, body.error.code]).toEqual([401, 'unauthenticated']);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer realm="reprise", error="invalid_token", error_description="[^"]+"$/);
    expect(body.error.message.toLowerCase()).toContain(reason.toLowerCase());
    expect(body.error.request_id).toBe(headers.get('x-request-id'));
  });

  it.each<Record<string, string>>([
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Basic YTpi' },
  ])('that is missing (%j) is asked for', async (headers) => {
    const answered = await gateway.call('GET', PATH, { token: null, headers });
    expect([answered.status, answered.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="reprise"']);
  });

  it('that is good is taken, in whatever letters the scheme is written', async () => {
    const authorization = `bEARER ${gateway.issuer.token([])}`;
    expect((await gateway.call('GET', PATH, { token: null, headers: { authorization } })).status).toBe(200);
  });

  it('for several audiences is good if ours is one', async () => {
    expect((await gateway.call('GET', PATH, { token: gateway.issuer.token([], {}, { audience: ['x', AUDIENCE] }) })).status).toBe(200);
  });
});

describe('a pod', () => {
  let gateway: GatewayUnderTest;
  const workspaceId = newId('workspace');
  const taskId = newId('task');
  const token = podToken(POD_SECRET, { workspaceId, generation: 4 });
  const body = { status: 'completed', output: 'done', started_at: '2026-01-01T00:00:00.000Z', completed_at: null };

  beforeAll(async () => {
    gateway = await GatewayUnderTest.start({ podTokenSecretPrevious: 'the secret before' });
    await gateway.others.answer(ReportTask, () => undefined);
  });
  afterAll(() => gateway.stop());
  beforeEach(() => gateway.others.forget());

  it('reports its task with its own token', async () => {
    expect((await gateway.call('PUT', `/v1/agent/tasks/${taskId}`, { token, body })).status).toBe(200);
    expect(gateway.others.of(ReportTask)[0]?.data).toEqual({
      workspace_id: workspaceId,
      pod_generation: 4,
      task_id: taskId,
      status: 'completed',
      output: 'done',
      started_at: '2026-01-01T00:00:00.000Z',
    });
  });

  it('reports with a token of the secret before, while that is exchanged', async () => {
    const before = podToken('the secret before', { workspaceId, generation: 3 });
    expect((await gateway.call('PUT', `/v1/agent/tasks/${taskId}`, { token: before, body })).status).toBe(200);
    expect(gateway.others.of(ReportTask)[0]?.data).toMatchObject({ workspace_id: workspaceId, pod_generation: 3 });
  });

  it('may report half a million characters of whatever its task wrote', async () => {
    const output = '\u0001\0\ud800'.repeat(524_288 / 3);
    expect((await gateway.call('PUT', `/v1/agent/tasks/${taskId}`, { token, body: { ...body, output } })).status).toBe(200);
    expect(gateway.others.of(ReportTask)[0]?.data.output).toBe('\u0001\ufffd\ufffd'.repeat(524_288 / 3));
  });

  it.each(['\ud83d\ude00', '\0', '\ud800', ' ', 'x'])('is refused what is longer, whatever is in it: %j', async (unit) => {
    const output = unit.repeat(600_000);
    const answered = await gateway.call('PUT', `/v1/agent/tasks/${taskId}`, { token, body: { ...body, output } });
    expect([answered.status, answered.body.error.code]).toEqual([400, 'validation_error']);
    expect(JSON.stringify(answered.body).length).toBeLessThan(16_384);
    // The one before may have been sent twice, where its answer took long.
    const sizes = gateway.others.of(ReportTask).map(({ data }) => (data.output as string).length);
    expect(sizes.filter((size) => size > 524_288)).toEqual([]);
  });

  it.each([
    ['of a person', () => gateway.issuer.token(['workspace:write', 'tasks:write'])],
    ['under another secret', () => podToken('another secret, not ours', { workspaceId, generation: 4 })],
    ['for another generation than it was made for', () => token.replace('.4.', '.5.')],
    ['that is none', () => null],
  ])('does not get in with a token %s', async (_, wrong) => {
    const answered = await gateway.call('PUT', `/v1/agent/tasks/${taskId}`, { token: wrong(), body });
    expect([answered.status, answered.body.error.code]).toEqual([401, 'unauthenticated']);
    expect(answered.headers.get('www-authenticate')).toContain('Bearer');
  });

  it.each([
    ['an unknown status', { ...body, status: 'bored' }, 400, 'validation_error'],
    ['an unknown field', { ...body, mood: 'good' }, 400, 'validation_error'],
  ])('is refused %s', async (_, wrong, status, code) => {
    const answered = await gateway.call('PUT', `/v1/agent/tasks/${taskId}`, { token, body: wrong });
    expect([answered.status, answered.body.error.code]).toEqual([status, code]);
  });

  it('gets 404 for a task id of the wrong form', async () => {
    const answered = await gateway.call('PUT', '/v1/agent/tasks/nonsense', { token, body });
    expect([answered.status, answered.body.error.code]).toEqual([404, 'task_not_found']);
  });
});
