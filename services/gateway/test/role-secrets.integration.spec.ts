import {
  ChangeRole,
  CreateRole,
  EXAMPLE,
  GetProvider,
  GetRole,
  GetTenantPosture,
  ListRoles,
  type MessageClass,
  SecretKeys,
} from '@reprise/contracts';
import { ALL, expectError, GatewayUnderTest, SECRETS_KEY } from './support';

let gateway: GatewayUnderTest;
const keys = new SecretKeys(SECRETS_KEY);
const ROLE = `/v1/agent-roles/${EXAMPLE.role}`;
const NEW = { name: 'coder', provider_id: EXAMPLE.provider, command: ['cat'] };

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  await gateway.others.answer(GetTenantPosture, () => ({ org_id: 'acme', posture: 'active', trial_ends_at: null, may_add: true }));
  for (const message of [CreateRole, ChangeRole, GetRole, ListRoles, GetProvider]) await gateway.others.answer(message, () => ({}));
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.others.forget());

/** One of each message: on a busy machine the gateway sends one again. */
const sent = (message: MessageClass) => [...new Map(gateway.others.of(message).map((each) => [each.id, each])).values()];
const create = (secret_env: unknown, headers: Record<string, string> = {}) =>
  gateway.call('POST', '/v1/agent-roles', { body: { ...NEW, secret_env }, headers });
const change = (secret_env: unknown, headers: Record<string, string> = {}) =>
  gateway.call('PATCH', ROLE, { body: { secret_env }, headers });

it('secrets of a new role leave the gateway encrypted for the id that it gives to the role', async () => {
  expect((await create({ A: 's3cret', B: '' })).status).toBe(201);
  const { data } = gateway.others.of(CreateRole)[0]!;
  expect(JSON.stringify(data)).not.toContain('s3cret');
  const decrypted = (name: string) => keys.decrypt(data.secret_env[name], { orgId: 'acme', roleId: data.id, name });
  expect([decrypted('A'), decrypted('B')]).toEqual(['s3cret', '']);
});

it('a change encrypts what it sets for that role, and says what it removes', async () => {
  expect((await change({ A: 's3cret', B: null })).status).toBe(200);
  const { data } = gateway.others.of(ChangeRole)[0]!;
  expect(JSON.stringify(data)).not.toContain('s3cret');
  expect(keys.decrypt(data.secret_env.A, { orgId: 'acme', roleId: EXAMPLE.role, name: 'A' })).toBe('s3cret');
  expect(data.secret_env.B).toBeNull();
});

it('the hash of a request tells one secret from another, and cannot be made without the key', async () => {
  const headers = { 'idempotency-key': 'k' };
  for (const secrets of [{ A: 'one' }, { A: 'one' }, { A: 'two' }, { A: null }]) await change(secrets, headers);
  await change({ A: 'one', B: 'x' }, headers);
  const [first, same, ...others] = sent(ChangeRole).map(({ data }) => data.idempotency.request_hash as string);
  expect(same).toBe(first);
  expect(new Set([first, ...others]).size).toBe(1 + others.length);
});

it.each([
  ['a list', ['x']],
  ['null', null],
  ['a number for a value', { A: 7 }],
  ['a name that is none', { 'a b': 'x' }],
  ['one of our own names', { REPRISE_POD_TOKEN: 'x' }],
  ['a value with NUL', { A: 'a\0b' }],
  ['a value too long', { A: 'x'.repeat(32_769) }],
  ['too many', Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`V${i}`, 'x']))],
])('secrets that are %s are refused, and the refusal does not repeat them', async (_, secrets) => {
  const answers = [await create(secrets), await change(secrets)];
  for (const answer of answers)
    expect(Object.keys(expectError(answer, 400, 'validation_error').fields as object)[0]).toMatch(/^secret_env/);
  expect(gateway.others.received.filter(({ type }) => type.startsWith('reprise.role'))).toEqual([]);
});

it('a new role has nothing to remove, and no caller chooses its id', async () => {
  expectError(await create({ A: null }), 400, 'validation_error');
  expectError(await gateway.call('POST', '/v1/agent-roles', { body: { ...NEW, id: EXAMPLE.role } }), 400, 'validation_error');
});

it('a query says whether its caller may read values', async () => {
  for (const permissions of [ALL, ['workspace:read', 'caps:write:own']]) {
    const token = gateway.issuer.token(permissions);
    await gateway.call('GET', ROLE, { token });
    await gateway.call('GET', `/v1/providers/${EXAMPLE.provider}`, { token });
  }
  const said = [GetRole, GetProvider].map((message) => sent(message).map(({ data }) => data.with_values as boolean | undefined));
  expect(said).toEqual([
    [true, undefined],
    [true, undefined],
  ]);
});
