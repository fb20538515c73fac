import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expectError, GatewayUnderTest, OPS_ROUTES, ROUTES } from './support';

const ALL_ROUTES = [...ROUTES, ...OPS_ROUTES];

interface Tree {
  [part: string]: Tree | undefined;
}

let gateway: GatewayUnderTest;
beforeAll(async () => void (gateway = await GatewayUnderTest.start()));
afterAll(() => gateway.stop());

const get = (path: string) => gateway.call('GET', path, { token: null });

describe('the description of the API', () => {
  it('is served to anyone, as OpenAPI 3.1, and is the file in docs', async () => {
    const { status, body } = await get('/openapi.json');
    expect([status, body.openapi]).toEqual([200, '3.1.0']);
    const committed = readFileSync(join(__dirname, '../../../docs/openapi.json'), 'utf8');
    expect(JSON.parse(committed)).toEqual(body);
  });

  it('has every route with its scope, its answer and its errors, and no other', async () => {
    const { body } = await get('/openapi.json');
    const described = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const expected = ALL_ROUTES.map(({ method, path }) => `${method} ${parametrised(path)}`);
    expect(described.sort()).toEqual(expected.sort());
    for (const { method, path, status, adds, scope } of ALL_ROUTES) {
      const operation = body.paths[parametrised(path)][method.toLowerCase()];
      const statuses = Object.keys(operation.responses);
      expect(statuses).toEqual(expect.arrayContaining([String(status), '400', '401', '429', '500', '503']));
      expect([statuses.includes('423'), statuses.includes('403')]).toEqual([adds, scope !== null]);
      expect(operation.security).toEqual([{ token: [] }]);
    }
  });

  it('refers to nothing that it does not have', async () => {
    const { body } = await get('/openapi.json');
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    expect(references.length).toBeGreaterThan(100);
    const missing = references.filter((path) => path.split('/').reduce<Tree | undefined>((at, part) => at?.[part], body) === undefined);
    expect(missing).toEqual([]);
  });
});

describe('the page for people', () => {
  it('is served to anyone and asks for nothing that its own security policy bars', async () => {
    const page = await get('/docs');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(page.body).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>\s*\S/);
    const scripts = [...String(page.body).matchAll(/<(?:script|link)[^>]*(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
    expect(scripts.length).toBeGreaterThan(2);
    for (const address of scripts) {
      const url = new URL(address, `${gateway.url}/docs`);
      expect(url.origin).toBe(gateway.url);
      expect([address, (await get(url.pathname)).status]).toEqual([address, 200]);
    }
  });
});

it('the page for people keeps no token', async () => {
  const script = String((await get('/docs/swagger-ui-init.js')).body);
  expect(script).toContain('displayRequestDuration');
  expect(script).not.toMatch(/persistAuthorization["']?: *true/);
});

it.each([
  [{ range: 'bytes=5-1' }],
  [{ range: 'bytes=99999999-' }],
  [{ 'if-match': '"x"' }],
  [{ 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }],
])('a part of the page that there is not is refused: %j', async (headers) => {
  expectError(await gateway.call('GET', '/docs/swagger-ui.css', { token: null, headers }), 400, 'validation_error');
});

it.each(['/docs/a/../../x', '/docs/.%2e/.%2e/x', '/docs/..%5cx', '/docs/%2e%2e/%2e%2e/package.json'])(
  'the way out of the page by %s leads nowhere',
  async (path) => {
    // As it stands: fetch would resolve it.
    const answer = await new Promise<[number | undefined, string]>((resolve, reject) => {
      const asked = request(gateway.url, { path }, (response) => {
        response.setEncoding('utf8');
        let text = '';
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve([response.statusCode, (JSON.parse(text) as { error: { code: string } }).error.code]));
      });
      asked.on('error', reject);
      asked.end();
    });
    expect(answer).toEqual([404, 'route_not_found']);
  },
);

it('the description can be switched off', async () => {
  const silent = await GatewayUnderTest.start({ serveDocs: false });
  try {
    for (const path of ['/docs', '/docs/', '/docs/swagger-ui-init.js', '/docs-json', '/openapi.json'])
      expect([path, (await silent.call('GET', path, { token: null })).body.error.code]).toEqual([path, 'route_not_found']);
  } finally {
    await silent.stop();
  }
});

describe('every answer', () => {
  it.each(['/v1/workspaces', '/docs', '/openapi.json', '/nothing', '/health/live'])(
    'from %s tells browsers to trust little',
    async (path) => {
      const { headers } = await get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.has('x-powered-by')).toBe(false);
      expect(headers.get('x-request-id')).toMatch(/\S/);
    },
  );
});

it('the health of the gateway is the health of its way to the broker', async () => {
  expect((await get('/health/live')).status).toBe(200);
  expect((await get('/health/ready')).body).toMatchObject({ status: 'ok', details: { broker: { status: 'up' } } });
});

function parametrised(path: string): string {
  return path
    .replace(/dl_[0-9a-z]{26}/, '{dead_letter_id}')
    .replace(/rpl_[0-9a-z]{26}/, '{replay_id}')
    .replace(/ws_[0-9a-z]{26}/, '{workspace_id}')
    .replace(/op_[0-9a-z]{26}/, '{operation_id}')
    .replace(/task_[0-9a-z]{26}/, '{task_id}')
    .replace(/role_[0-9a-z]{26}/, '{role_id}')
    .replace(/prov_[0-9a-z]{26}/, '{provider_id}');
}
