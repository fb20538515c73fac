import {
  CreateProvider,
  CreateRole,
  EXAMPLE,
  GetTenantPosture,
  LONGEST_DESCRIPTION,
  RestartWorkspace,
  SubmitTask,
} from '@reprise/contracts';
import { HOSTILE } from '../../../libs/platform/src/input/testing/hostile-bodies';
import { type Call, expectError, GatewayUnderTest } from './support';

let gateway: GatewayUnderTest;
const WS = `/v1/workspaces/${EXAMPLE.workspace}`;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  await gateway.others.answer(GetTenantPosture, ({ data }) => ({
    org_id: data.org_id,
    posture: 'active',
    trial_ends_at: null,
    may_add: true,
  }));
  for (const message of [RestartWorkspace, SubmitTask, CreateProvider, CreateRole]) await gateway.others.answer(message, () => ({}));
});
afterAll(() => gateway.stop());

describe('a value that is not allowed', () => {
  it.each([
    [`POST ${WS}/restart?force=maybe`, undefined, 'force'],
    [`POST ${WS}/restart?force=`, undefined, 'force'],
    [`POST ${WS}/restart?force`, undefined, 'force'],
    [`POST ${WS}/restart?force=TRUE`, undefined, 'force'],
    [`POST ${WS}/restart?force=1`, undefined, 'force'],
    [`POST ${WS}/restart?force=true&force=true`, undefined, 'force'],
    [`POST ${WS}/restart?Force=true`, undefined, 'Force'],
    [`POST ${WS}/restart`, { force: true }, 'force'],
    ['GET /v1/workspaces?include_archived=yes', undefined, 'include_archived'],
    ['GET /v1/workspaces?status=asleep', undefined, 'status'],
    ['GET /v1/workspaces?status=idle&status=busy', undefined, 'status'],
    ['GET /v1/workspaces?role_name=a&role_name=b', undefined, 'role_name'],
    ['GET /v1/workspaces?limit=0', undefined, 'limit'],
    ['GET /v1/workspaces?limit=201', undefined, 'limit'],
    ['GET /v1/workspaces?limit=ten', undefined, 'limit'],
    ['GET /v1/workspaces?limit=1.5', undefined, 'limit'],
    ['GET /v1/workspaces?limit=', undefined, 'limit'],
    ['GET /v1/workspaces?cursor=a&cursor=b', undefined, 'cursor'],
    [`GET /v1/operations/${EXAMPLE.operation}?wait=61`, undefined, 'wait'],
    [`GET /v1/operations/${EXAMPLE.operation}?wait=-1`, undefined, 'wait'],
    [`GET /v1/operations/${EXAMPLE.operation}?wait=soon`, undefined, 'wait'],
    ['POST /v1/workspaces', {}, 'role_id'],
    ['POST /v1/workspaces', { role_id: 7 }, 'role_id'],
    ['POST /v1/workspaces', { role_id: null, role_name: 'coder' }, 'role_id'],
    ['POST /v1/workspaces', { role_name: ['coder'] }, 'role_name'],
    ['POST /v1/workspaces', { role_name: 'coder', environment: 'e'.repeat(65) }, 'environment'],
    ['POST /v1/workspaces', { role_name: 'coder', org_id: 'globex' }, 'org_id'],
    ['POST /v1/workspaces', { role_name: 'coder', caller: { sub: 'root', own_only: false } }, 'caller'],
    ['POST /v1/workspaces', { role_name: 'coder', idempotency: { key: 'x' } }, 'idempotency'],
    [`POST ${WS}/tasks`, undefined, 'description'],
    [`POST ${WS}/tasks`, { description: '' }, 'description'],
    [`POST ${WS}/tasks`, { description: 'a\0b' }, 'description'],
    [`POST ${WS}/tasks`, { description: 'half \ud83d' }, 'description'],
    [`POST ${WS}/tasks`, { description: 'x', workspace_id: EXAMPLE.workspace }, 'workspace_id'],
    ['POST /v1/agent-roles', { name: 'Not A Slug', provider_id: EXAMPLE.provider, command: ['cat'] }, 'name'],
    ['POST /v1/agent-roles', { name: 'a', provider_id: EXAMPLE.provider, command: [] }, 'command'],
    ['POST /v1/agent-roles', { name: 'a', provider_id: EXAMPLE.provider, command: ['cat', 7] }, 'command'],
    ['POST /v1/agent-roles', { name: 'a', provider_id: EXAMPLE.provider, command: ['c\0t'] }, 'command.0'],
    ['POST /v1/agent-roles', { name: 'a', provider_id: EXAMPLE.provider, command: ['cat'], env: { REPRISE_POD: 'x' } }, 'env'],
    ['POST /v1/agent-roles', { name: 'a', provider_id: EXAMPLE.provider, command: ['cat'], display_name: null }, 'display_name'],
    [`PATCH /v1/agent-roles/${EXAMPLE.role}`, { version: 3 }, 'version'],
    [`PATCH /v1/agent-roles/${EXAMPLE.role}`, { name: null }, 'name'],
    ['POST /v1/providers', { name: 'a', kind: 'clippy' }, 'kind'],
    ['POST /v1/providers', { name: 'a', kind: 'none', config: [] }, 'config'],
  ])('%s %j is refused and named', async (line, body, field) => {
    const [method = '', path = ''] = line.split(' ');
    const { fields } = expectError(await gateway.call(method, path, { body }), 400, 'validation_error');
    expect(fields).toEqual({ [field]: expect.stringMatching(/\S/) });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    '%s is an unknown field, in a query and in a body',
    async (name) => {
      const inQuery = await gateway.call('GET', `/v1/workspaces?${name}=1`);
      const inBody = await gateway.call('POST', '/v1/workspaces', { raw: `{"role_name":"coder",${JSON.stringify(name)}:1}` });
      const whereNoneIsTaken = await gateway.call('POST', `${WS}/restart?${name}=true`, { raw: `{${JSON.stringify(name)}:{}}` });
      for (const answered of [inQuery, inBody, whereNoneIsTaken]) {
        expect(Object.keys(expectError(answered, 400, 'validation_error').fields as object)).toEqual([name]);
      }
    },
  );

  it.each(Object.entries(HOSTILE))('%s: refused in 16 KiB at most', async (_, raw) => {
    for (const path of ['/v1/workspaces', '/v1/agent-roles', '/v1/providers', `${WS}/restart`]) {
      const answered = await gateway.call('POST', path, { raw, headers: { 'idempotency-key': 'one' } });
      expectError(answered, 400, 'validation_error');
      expect(Buffer.byteLength(JSON.stringify(answered.body))).toBeLessThanOrEqual(16 * 1024);
    }
  });

  it('a hundred unknown fields and their kind are named up to twenty', async () => {
    const body = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`field${at}`, '\0']));
    const { fields } = expectError(await gateway.call('POST', '/v1/workspaces', { body }), 400, 'validation_error');
    expect(Object.keys(fields as object)).toHaveLength(20);
  });

  it.each(['/v1/workspaces?cursor=', `/v1/workspaces?cursor=${'x'.repeat(513)}`])('%s is no cursor', async (path) => {
    expectError(await gateway.call('GET', path), 400, 'invalid_cursor');
  });

  it.each(['', ' ', 'a'.repeat(256), 'caf\u00e9', 'tab\there'])('the idempotency key %j is refused unless it is printable', async (key) => {
    const answered = await gateway.call('POST', `${WS}/restart`, { headers: { 'idempotency-key': key } });
    expect(expectError(answered, 400, 'validation_error')).toHaveProperty(['fields', 'Idempotency-Key']);
  });

  it('every wrong field is named at once', async () => {
    const body = { role_name: 7, environment: '', surprise: true };
    const { fields } = expectError(await gateway.call('POST', '/v1/workspaces', { body }), 400, 'validation_error');
    expect(Object.keys(fields as object).sort()).toEqual(['environment', 'role_name', 'surprise']);
  });
});

describe('a request without a body', () => {
  it.each<[string, Call]>([
    ['and without a content type', {}],
    ['but with a content type', { headers: { 'content-type': 'application/json' } }],
    ['but an empty object', { body: {} }],
    ['but white space', { raw: ' \n' }],
    ['with a charset', { raw: '{}', headers: { 'content-type': 'application/json; charset=utf-8' } }],
  ])('%s is fine where none is needed', async (_, call) => {
    expect((await gateway.call('POST', `${WS}/restart`, call)).status).toBe(202);
  });
});

describe('a value at its limit', () => {
  it.each([
    ['plain', 'x', 'x'],
    ['escaped', 'x', '\\u0078'],
    ['of control characters', '\u0001', '\\u0001'],
    ['of pairs, escaped', '\u{1f600}', '\\ud83d\\ude00'],
  ])('a description, %s, is taken whole', async (_, character, written) => {
    const raw = `{"description":"${written.repeat(LONGEST_DESCRIPTION)}"}`;
    expect((await gateway.call('POST', `${WS}/tasks`, { raw })).status).toBe(202);
    // One of an earlier case may come again late.
    const sent = gateway.others.of(SubmitTask).map(({ data }) => (data as SubmitTask).description);
    expect(sent.includes(character.repeat(LONGEST_DESCRIPTION))).toBe(true);
    const longer = await gateway.call('POST', `${WS}/tasks`, { raw: raw.replace('"}', `${written}"}`) });
    expect(expectError(longer, 400, 'validation_error')).toHaveProperty('fields.description');
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', 'then'])('%s is kept as a key of a map', async (name) => {
    gateway.others.forget();
    const map = { [name]: 'x' };
    const role = { name: 'a', provider_id: EXAMPLE.provider, command: ['cat'], env: map };
    expect((await gateway.call('POST', '/v1/providers', { body: { name: 'a', kind: 'none', config: { [name]: map } } })).status).toBe(201);
    expect((await gateway.call('POST', '/v1/agent-roles', { body: role })).status).toBe(201);
    expect(gateway.others.of(CreateProvider)[0]?.data).toMatchObject({ config: { [name]: map } });
    expect(gateway.others.of(CreateRole)[0]?.data).toMatchObject({ env: map });
  });
});
