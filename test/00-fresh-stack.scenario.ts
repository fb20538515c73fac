import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, must, promise, ROOT, SERVICES, unique, useStack } from './support';

const stack = useStack();

for (const name of SERVICES) {
  promise(`${name} says that it lives and that it is ready`, async () => {
    for (const probe of ['live', 'ready']) {
      const answer = await fetch(`${stack.service(name).url}/health/${probe}`);
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ status: 'ok' })]);
    }
  });
}

for (const name of SERVICES.filter((each) => each !== 'gateway')) {
  promise(`${name} serves nothing but its health`, async () => {
    for (const path of ['/', '/v1/workspaces', '/docs', '/openapi.json', '/metrics']) {
      expect((await fetch(`${stack.service(name).url}${path}`)).status).toBe(404);
    }
  });
}

promise('the description of the API is served, and is the committed one', async () => {
  const committed = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as object;
  expect(must(200, await stack.api.get('/openapi.json'))).toEqual(committed);
});

promise('the pages for people load, with everything that they need', async () => {
  const page = await fetch(`${stack.api.base}/docs/`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
  const html = await page.text();
  expect(html).toContain('swagger-ui');
  const parts = [...html.matchAll(/(?:src|href)="(?!https?:|data:)([^"]+)"/g)].map(([, path]) => path!);
  expect(parts.length).toBeGreaterThan(0);
  for (const path of parts) expect((await fetch(new URL(path, page.url))).status).toBe(200);
});

promise('answers carry headers that keep a browser from being misled', async () => {
  const { headers } = await stack.api.get('/v1/workspaces');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-powered-by')).toBeNull();
});

promise('logs are JSON, tell whose work a line belongs to, and hold no token and no password', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  const [requestId, traceId] = [unique('request'), '4bf92f3577b34da6a3ce929d0e0e4736'];
  const headers = { 'x-request-id': requestId, traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  const operation = await alice.begin(id, 'restart', { headers });
  await alice.succeeded(operation);
  await stack.api.get(`/v1/workspaces?access_token=${alice.token}`);
  await stack.api.get('/v1/workspaces', { token: alice.token.slice(0, -4) });

  const lines = await eventually(() => {
    const all = SERVICES.flatMap((name) => linesOf(name));
    const ours = all.filter((line) => line.operation_id === operation || line.request_id === requestId);
    expect(ours.map(({ service }) => service)).toEqual(expect.arrayContaining(['gateway', 'lifecycle', 'provisioner']));
    expect(ours.filter((line) => line.workspace_id === id && line.org_id === org).length).toBeGreaterThan(0);
    expect(ours.filter((line) => line.trace_id === traceId).length).toBeGreaterThan(0);
    return all;
  });
  for (const line of lines)
    expect(line).toMatchObject({ service: expect.any(String), level: expect.any(String), time: expect.any(String) });

  const text = SERVICES.map((name) => stack.service(name).log()).join('\n');
  const [, payload, signature] = alice.token.split('.');
  for (const secret of [payload!, signature!.slice(0, -4), stack.podTokenSecret, ...stack.ground.passwords])
    expect(text).not.toContain(secret);
  expect(text).not.toMatch(/pod\.ws_[0-9a-z]{26}\.\d+\.[0-9a-f]{64}/);
});

promise('asked to stop, every service finishes what it has in hand and ends well, and its pods go on', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const pod = stack.pod(id);
  const operation = await alice.begin(id, 'restart');
  for (const name of SERVICES) {
    expect([name, await stack.service(name).stop()]).toEqual([name, 0]);
  }
  expect(stack.pods(id).length).toBeLessThanOrEqual(1);
  await Promise.all(SERVICES.map((name) => stack.service(name).start()));
  await alice.succeeded(operation);
  expect(stack.pod(id).pid).not.toBe(pod.pid);
  expect(await stack.ground.deadLetters()).toEqual([]);
});

function linesOf(name: (typeof SERVICES)[number]): Record<string, unknown>[] {
  const lines = stack.service(name).log().trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
