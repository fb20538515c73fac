import { type Call, chunked, expectError, GatewayUnderTest, raw } from './support';

let gateway: GatewayUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
});
afterAll(() => gateway.stop());

describe('what cannot be read', () => {
  const big = Buffer.alloc(2 * 1024 * 1024, 'x');
  const cases: [string, string, Call, number, string][] = [
    ['broken JSON', 'POST /v1/workspaces', { raw: '{"role_name": ' }, 400, 'validation_error'],
    [
      'JSON that reaches for prototypes',
      'POST /v1/workspaces',
      { raw: '{"__proto__": {"x": 1}, "role_name": "coder"}' },
      400,
      'validation_error',
    ],
    ['JSON that reaches for constructors', 'POST /v1/workspaces', { raw: '{"constructor": {"prototype": {}}}' }, 400, 'validation_error'],
    ['a list', 'POST /v1/workspaces', { raw: '[]' }, 400, 'validation_error'],
    ['a text', 'POST /v1/workspaces', { raw: '"role"' }, 400, 'validation_error'],
    ['null', 'POST /v1/workspaces', { raw: 'null' }, 400, 'validation_error'],
    ['bytes that are no UTF-8', 'POST /v1/workspaces', { raw: Buffer.from('{"role_name":"\xff"}', 'latin1') }, 400, 'validation_error'],
    ['a body of 2 MB', 'POST /v1/workspaces', { raw: big }, 413, 'payload_too_large'],
    [
      'a form',
      'POST /v1/workspaces',
      { raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
    ],
    ['plain text', 'POST /v1/workspaces', { raw: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    [
      'a media type that is none',
      'POST /v1/workspaces',
      { raw: '{}', headers: { 'content-type': 'rubbish' } },
      415,
      'unsupported_media_type',
    ],
    [
      'very deep JSON',
      'POST /v1/providers',
      { raw: `{"name":"a","kind":"none","config":${'{"a":'.repeat(1000)}1${'}'.repeat(1001)}` },
      400,
      'validation_error',
    ],
    ['JSON that is all brackets', 'POST /v1/workspaces', { raw: '['.repeat(1_000_000) }, 400, 'validation_error'],
  ];

  it.each(cases)('%s is refused', async (_, line, call, status, code) => {
    const [method = '', path = ''] = line.split(' ');
    expectError(await gateway.call(method, path, call), status, code);
  });

  it.each(cases)('%s is refused for its token first, then for its scope', async (_, line, call) => {
    const [method = '', path = ''] = line.split(' ');
    expectError(await gateway.call(method, path, { ...call, token: 'rubbish' }), 401, 'unauthenticated');
    expectError(await gateway.call(method, path, { ...call, token: gateway.issuer.token(['workspace:read']) }), 403, 'permission_denied');
  });

  it('is still refused when it comes in chunks, and the connection is good for another request', async () => {
    const answered = await chunked(gateway, '/v1/workspaces', gateway.issuer.token(['workspace:write']), 2 * 1024 * 1024);
    expect(answered).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  it.each(['/v1/workspaces/%', '/v1/%zz', '/%e0%a4%a'])('the path %s is refused', async (path) => {
    expectError(await gateway.call('GET', path), 400, 'validation_error');
  });

  it('what is no HTTP at all gets an answer with the same body', async () => {
    const answered = await raw(gateway, 'RUBBISH\r\n\r\n');
    expect(answered.head).toMatch(/^HTTP\/1\.1 400 /);
    expect(answered.body.error).toMatchObject({ code: 'validation_error', request_id: answered.requestId });
  });

  it('headers without end get an answer with the same body', async () => {
    const answered = await raw(gateway, `GET /v1/workspaces HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(100_000)}\r\n\r\n`);
    expect(answered.head).toMatch(/^HTTP\/1\.1 413 /);
    expect(answered.body.error).toMatchObject({ code: 'payload_too_large', request_id: answered.requestId });
  });
});

describe('a route that is not there', () => {
  it.each([
    'GET /',
    'GET /v1',
    'GET /v2/workspaces',
    'GET /v1/workspaces/',
    'GET //v1/workspaces',
    'DELETE /v1/workspaces',
    'PUT /v1/agent-roles',
    'OPTIONS /v1/workspaces',
    'GET /v1/agent/tasks/x',
    'GET /docs/../../../../etc/passwd',
    'GET /docs/nothing.js',
    'GET /health',
  ])('%s is 404 with or without a token', async (line) => {
    const [method = '', path = ''] = line.split(' ');
    for (const token of [undefined, null]) expectError(await gateway.call(method, path, { token }), 404, 'route_not_found');
  });

  it('is that also with a body that cannot be read', async () => {
    expectError(await gateway.call('POST', '/v1/nothing', { raw: '{' }), 404, 'route_not_found');
  });
});
