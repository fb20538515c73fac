import { request } from 'node:http';
import { newId } from '@reprise/contracts';
import {
  ALL_SCOPES,
  type Answer,
  type Caller,
  eventually,
  expectRefusal,
  must,
  newKeys,
  promise,
  SHELL,
  unique,
  useStack,
} from './support';

const stack = useStack();
let alice: Caller;
let role: { id: string; provider_id: string; name: string };
let id: string;

beforeAll(async () => {
  alice = (await stack.tenant()).alice;
  role = await alice.role();
  id = (await alice.workspace({ role_id: role.id })).id;
});

/** That a request is refused for exactly these fields. */
function expectInvalid(answer: Answer, ...fields: string[]): void {
  expectRefusal(answer, 'validation_error');
  const said = answer.body.error.details.fields as Record<string, string>;
  expect(Object.keys(said).sort()).toEqual([...fields].sort());
  for (const sentence of Object.values(said)) expect(sentence).toMatch(/\w+ \w+/);
}

describe('a token', () => {
  const claims = (): [string, string | undefined][] => {
    const { issuer } = stack;
    const past = Math.floor(Date.now() / 1000) - 10;
    const [head, payload, signature] = issuer.token().split('.');
    const json = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    return [
      ['that is none', undefined],
      ['that is empty', ''],
      ['that is no token', 'nonsense'],
      ['that is signed with no algorithm', `${json({ alg: 'none', typ: 'JWT' })}.${payload}.`],
      ['that says none and keeps a signature', `${json({ alg: 'none', typ: 'JWT' })}.${payload}.${signature}`],
      ['that is signed with the public key as a secret', forgedWithPublicKey()],
      ['of another key', issuer.token({ signing: { key: newKeys().privateKey } })],
      ['whose claims were changed', `${head}.${json({ ...decoded(payload!), org_id: 'other' })}.${signature}`],
      ['whose signature was cut off', `${head}.${payload}.`],
      ['that has expired', issuer.token({ claims: { exp: past } })],
      ['that never expires', issuer.token({ claims: { exp: undefined } })],
      ['that is not valid yet', issuer.token({ claims: { nbf: past + 3600 } })],
      ['for another audience', issuer.token({ claims: { aud: 'elsewhere' } })],
      ['for no audience', issuer.token({ claims: { aud: undefined } })],
      ['of another issuer', issuer.token({ claims: { iss: 'http://elsewhere' } })],
      ['of no issuer', issuer.token({ claims: { iss: undefined } })],
      ['of nobody', issuer.token({ claims: { sub: undefined } })],
      ['of no organization', issuer.token({ claims: { org_id: undefined } })],
      ['of an organization that is no name', issuer.token({ claims: { org_id: 'a b\n' } })],
      ['with permissions that are no list', issuer.token({ claims: { permissions: 'workspace:read' } })],
    ];
  };

  promise('that is not good in any way is refused, and the answer gives nothing away', async () => {
    for (const [what, token] of claims()) {
      const answer = await stack.api.get('/v1/workspaces', token === undefined ? {} : { token });
      try {
        expectRefusal(answer, 'unauthenticated');
      } catch (error) {
        throw new Error(`a token ${what}: ${String(error)}`, { cause: error });
      }
    }
  });

  promise('in another place than the header, or by another scheme, is none', async () => {
    expectRefusal(await stack.api.get(`/v1/workspaces?access_token=${alice.token}`), 'unauthenticated');
    expectRefusal(await stack.api.get('/v1/workspaces', { headers: { authorization: `Basic ${alice.token}` } }), 'unauthenticated');
    expectRefusal(await stack.api.get('/v1/workspaces', { headers: { authorization: alice.token } }), 'unauthenticated');
  });

  promise('that is good passes with a key of the right algorithm only', async () => {
    expect((await stack.api.get('/v1/workspaces', { token: alice.token })).status).toBe(200);
    const another = stack.issuer.token({ org: alice.org, permissions: ALL_SCOPES, signing: { algorithm: 'RS512' } });
    expectRefusal(await stack.api.get('/v1/workspaces', { token: another }), 'unauthenticated');
  });
});

describe('a body', () => {
  const sent = (raw: string | Uint8Array, headers: Record<string, string> = {}) => alice.post('/v1/providers', undefined, { raw, headers });

  promise('that is no JSON is refused', async () => {
    for (const raw of ['{"name": ', '{name: 1}', 'null garbage', '\u0000', "{'name':'x'}"])
      expectRefusal(await sent(raw), 'validation_error');
    expectRefusal(await sent(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])), 'validation_error');
  });

  promise('that is JSON but no object is refused', async () => {
    for (const raw of ['[]', '"text"', '17', 'true', '[{"name":"x"}]']) expectRefusal(await sent(raw), 'validation_error');
  });

  promise('of two megabytes, or of four for a task, is refused, and one just below the limit is read', async () => {
    expectRefusal(await sent(JSON.stringify({ name: 'x'.repeat(2 * 1024 * 1024) })), 'payload_too_large');
    expectRefusal(await alice.post(`/v1/workspaces/${id}/tasks`, { description: 'x'.repeat(4 * 1024 * 1024) }), 'payload_too_large');
    expectInvalid(await sent(JSON.stringify({ name: 'x'.repeat(1000 * 1024), kind: 'none' })), 'name');
  });

  promise('of another type than JSON is refused', async () => {
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      expectRefusal(await sent('name=x', { 'content-type': type }), 'unsupported_media_type');
    }
  });

  promise('that breaks off, or is no HTTP, leaves the service as it was', async () => {
    await brokenOff();
    expect((await alice.get('/v1/providers')).status).toBe(200);
  });

  promise('that tries to change what every object has is refused', async () => {
    for (const raw of [
      '{"name":"x","kind":"none","__proto__":{"admin":true}}',
      '{"constructor":{"prototype":{}},"name":"x","kind":"none"}',
    ]) {
      expectRefusal(await sent(raw), 'validation_error');
    }
  });
});

describe('a field', () => {
  promise('that is missing or unknown is named', async () => {
    expectInvalid(await alice.post('/v1/providers', {}), 'kind', 'name');
    expectInvalid(await alice.post('/v1/providers', { name: 'good', kind: 'none', colour: 'red', size: 1 }), 'colour', 'size');
    expectInvalid(await alice.post(`/v1/workspaces/${id}/tasks`, { description: 'echo', force: true }), 'force');
    expectInvalid(await alice.post(`/v1/workspaces/${id}/restart`, { force: true }), 'force');
  });

  const bad: [string, Record<string, unknown>, string][] = [
    ['name', { name: 17 }, 'name'],
    ['name with capitals', { name: 'Upper' }, 'name'],
    ['empty name', { name: '' }, 'name'],
    ['name of 64 characters', { name: 'a'.repeat(64) }, 'name'],
    ['name that is null', { name: null }, 'name'],
    ['command that is a text', { command: 'sh' }, 'command'],
    ['command that is empty', { command: [] }, 'command'],
    ['command with numbers', { command: ['sh', 7] }, 'command'],
    ['command with a NUL', { command: ['sh\u0000'] }, 'command'],
    ['env that is a list', { env: ['A=1'] }, 'env'],
    ['env with a number', { env: { A: 1 } }, 'env'],
    ["env with one of the pod's own names", { env: { REPRISE_POD_TOKEN: 'x' } }, 'env'],
    ['time limit of zero', { task_timeout_seconds: 0 }, 'task_timeout_seconds'],
    ['time limit that is a text', { task_timeout_seconds: '60' }, 'task_timeout_seconds'],
    ['time limit that is a fraction', { task_timeout_seconds: 1.5 }, 'task_timeout_seconds'],
    ['idle time below zero', { idle_timeout_seconds: -1 }, 'idle_timeout_seconds'],
    ['runtime that is a list', { runtime: [] }, 'runtime'],
    ['runtime with an unknown field', { runtime: { gpus: 1 } }, 'runtime'],
    ['image that is no name of one', { runtime: { image: 'not an image' } }, 'runtime'],
    ['image that is null', { runtime: { image: null } }, 'runtime'],
    ['memory of nothing', { runtime: { memory_mb: 0 } }, 'runtime'],
    ['memory in words', { runtime: { memory_mb: '1Gi' } }, 'runtime'],
    ['less than no core', { runtime: { cpus: -1 } }, 'runtime'],
  ];
  for (const [what, change, field] of bad) {
    promise(`of a role with a wrong value is named: ${what}`, async () => {
      const right = { name: unique('role'), command: SHELL, provider_id: role.provider_id };
      const answer = await alice.post('/v1/agent-roles', { ...right, ...change });
      expectRefusal(answer, 'validation_error');
      const named = Object.keys(answer.body.error.details.fields as object).map((key) => key.split('.')[0]);
      expect(named).toEqual([field]);
    });
  }

  promise('that a workspace needs is named, and so is one that says it twice', async () => {
    expectRefusal(await alice.post('/v1/workspaces', {}), 'validation_error');
    expectRefusal(await alice.post('/v1/workspaces', { role_id: 5 }), 'validation_error');
    expectRefusal(await alice.post('/v1/workspaces', { role_id: role.id, environment: 'x'.repeat(65) }), 'validation_error');
    expectRefusal(await alice.post('/v1/workspaces', { role_id: newId('role') }), 'role_not_found');
    expectRefusal(await alice.post('/v1/workspaces', { role_name: 'never-made' }), 'role_not_found');
  });

  promise('of a task with nothing in it, or with what no text is, is named', async () => {
    for (const description of ['', 17, null, ['echo'], { text: 'echo' }, 'a\u0000b', 'x'.repeat(262_145)]) {
      expectInvalid(await alice.post(`/v1/workspaces/${id}/tasks`, { description }), 'description');
    }
    expect(await alice.see(id)).toMatchObject({ status: 'idle' });
  });
});

describe('a query', () => {
  promise('with a force that is neither true nor false restarts nothing', async () => {
    for (const force of ['maybe', '', '1', 'TRUE', 'true&force=true', 'true&force=false']) {
      expectInvalid(await alice.post(`/v1/workspaces/${id}/restart?force=${force}`), 'force');
    }
    expectInvalid(await alice.post(`/v1/workspaces/${id}/restart?forse=true`), 'forse');
    expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 1 });
  });

  promise('outside its list or range is refused', async () => {
    for (const [query, field] of [
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['limit=ten', 'limit'],
      ['limit=-1', 'limit'],
      ['limit=1e2', 'limit'],
      ['limit=', 'limit'],
      ['status=sleeping', 'status'],
      ['status=', 'status'],
      ['include_archived=yes', 'include_archived'],
      ['colour=red', 'colour'],
    ] as const) {
      expectInvalid(await alice.get(`/v1/workspaces?${query}`), field);
    }
    const operation = newId('operation');
    for (const wait of ['61', '-1', 'long', '', '1.5']) expectInvalid(await alice.get(`/v1/operations/${operation}?wait=${wait}`), 'wait');
  });

  promise('with a cursor that no list gave is refused as such', async () => {
    const others = Buffer.from(`1:${newId('role')}`).toString('base64url');
    for (const cursor of ['nonsense', others, '%F0%9F%98%80', 'x'.repeat(600), '']) {
      expectRefusal(await alice.get(`/v1/workspaces?cursor=${cursor}`), 'invalid_cursor');
    }
  });
});

describe('an idempotency key', () => {
  promise('that is empty, too long or not printable is refused', async () => {
    for (const key of ['x'.repeat(256), 'caf\u00e9', 'tab\there']) {
      const answer = await alice.post(`/v1/workspaces/${id}/restart`, undefined, { headers: { 'idempotency-key': key } });
      expectRefusal(answer, 'validation_error');
    }
    expect(await alice.see(id)).toMatchObject({ generation: 1 });
  });
});

describe('a route', () => {
  promise('that is none is 404 whatever the token, by every method', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/v1'],
      ['GET', '/v1/nothing'],
      ['GET', '/v2/workspaces'],
      ['DELETE', `/v1/workspaces/${id}`],
      ['PUT', '/v1/workspaces'],
      ['POST', `/v1/workspaces/${id}/explode`],
      ['GET', `/v1/workspaces/${id}/tasks/x/y/z`],
    ] as const) {
      expectRefusal(await stack.api.send(method, path, undefined, { token: alice.token }), 'route_not_found');
      expectRefusal(await stack.api.send(method, path), 'route_not_found');
    }
  });

  promise('that is not well encoded is refused', async () => {
    expectRefusal(await alice.get('/v1/workspaces/%zz'), 'validation_error');
  });
});

promise('every answer has a request id, the caller own one where it gave one', async () => {
  const given = unique('request');
  const good = await alice.get('/v1/workspaces', { headers: { 'x-request-id': given } });
  expect(good.headers.get('x-request-id')).toBe(given);
  const bad = await alice.get('/v1/nothing', { headers: { 'x-request-id': given } });
  expect(bad.body.error.request_id).toBe(given);
  const odd = await alice.get('/v1/workspaces', { headers: { 'x-request-id': 'not a good id; drop table' } });
  expect(odd.headers.get('x-request-id')).toMatch(/^[\w.:-]{1,128}$/);
});

promise('too many requests are answered 429 with a time to wait, and only to who sent them', async () => {
  await stack.service('gateway').kill();
  await stack.service('gateway').start({ RATE_LIMIT_PER_MINUTE: '20' });
  const greedy = (await stack.tenant()).alice;
  const answers = await Promise.all(Array.from({ length: 40 }, () => greedy.get('/v1/workspaces')));
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited.length).toBeGreaterThanOrEqual(10);
  for (const answer of limited) expectRefusal(answer, 'rate_limited');
  expect((await alice.get('/v1/workspaces')).status).toBe(200);
  await stack.service('gateway').kill();
  await stack.service('gateway').start();
});

promise('a service that is needed and away is 503 with a time to wait, and nothing is lost when it comes back', async () => {
  await stack.service('gateway').kill();
  await stack.service('gateway').start({ QUERY_TIMEOUT_MS: '500', COMMAND_TIMEOUT_MS: '800', RESEND_EVERY_MS: '200' });
  await stack.service('lifecycle').kill();
  const headers = { 'idempotency-key': unique('key') };
  expectRefusal(await alice.get(`/v1/workspaces/${id}`), 'unavailable');
  expectRefusal(await alice.post(`/v1/workspaces/${id}/restart`, undefined, { headers }), 'unavailable');
  await stack.service('lifecycle').start();
  const accepted = await eventually(async () => must(202, await alice.post(`/v1/workspaces/${id}/restart`, undefined, { headers })));
  await alice.succeeded(accepted.operation_id);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 2 });
});

function decoded(part: string): object {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as object;
}

/** A token that is signed with HMAC, the public key as its secret: what a verifier that trusts the header's algorithm would accept. */
function forgedWithPublicKey(): string {
  return stack.issuer.tokenBySecret(stack.issuer.publicKey);
}

/** Announces a body, sends half of it and hangs up. */
function brokenOff(): Promise<void> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(stack.api.base);
    const headers = { authorization: `Bearer ${alice.token}`, 'content-type': 'application/json', 'content-length': '100' };
    const sending = request({ hostname, port, path: '/v1/providers', method: 'POST', headers });
    sending.on('error', () => undefined).on('close', () => resolve());
    sending.write('{"name": "half', () => sending.destroy());
  });
}
