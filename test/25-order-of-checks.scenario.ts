import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '@reprise/contracts';
import { expectRefusal, must, promise, ROOT, unique, useStack } from './support';

const stack = useStack();

promise('a reused idempotency key (422) is told after 401, 403, 415, 400 and 423, and before 404 and 409', async () => {
  const tenant = await stack.tenant();
  const { alice } = tenant;
  const { id: role_id } = await alice.role();
  const [mine, theirs] = [await alice.workspace({ role_id }), await tenant.as('bob').workspace({ role_id })];
  const headers = { 'idempotency-key': unique('key') };
  const resume = (id: string): string => `/v1/workspaces/${id}/resume`;
  expectRefusal(await alice.post(resume(mine.id), undefined, { headers }), 'invalid_state');

  expectRefusal(await stack.api.post(resume(theirs.id), undefined, { headers }), 'unauthenticated');
  expectRefusal(await tenant.as('alice', ['workspace:read']).post(resume(theirs.id), undefined, { headers }), 'permission_denied');
  const text = { raw: 'text', headers: { ...headers, 'content-type': 'text/plain' } };
  expectRefusal(await alice.post(resume(theirs.id), undefined, text), 'unsupported_media_type');
  expectRefusal(await alice.post(`${resume(theirs.id)}?from_snapshot=maybe`, undefined, { headers }), 'validation_error');
  expectRefusal(await alice.post(resume('no-id'), undefined, { headers }), 'workspace_not_found');
  expect((await tenant.as('alice', ['tasks:write:own']).post(resume(theirs.id), undefined, { headers })).status).toBe(403);

  expectRefusal(await alice.post(resume(theirs.id)), 'invalid_state');
  expectRefusal(await alice.post(resume(theirs.id), undefined, { headers }), 'idempotency_key_reused');
  const missing = resume(newId('workspace'));
  expectRefusal(await alice.post(missing), 'workspace_not_found');
  expectRefusal(await alice.post(missing, undefined, { headers }), 'idempotency_key_reused');

  await tenant.posture('past_due');
  expectRefusal(await alice.post(resume(theirs.id), undefined, { headers }), 'billing_inactive');
  expectRefusal(await alice.post(resume(mine.id), undefined, { headers }), 'invalid_state');
});

promise("a reused idempotency key (422) on an operator's route is told after 400 and before 404", async () => {
  const olga = stack.operators().as('olga', ['ops:read', 'ops:write']);
  const headers = { 'idempotency-key': unique('key') };
  const nothing = { filter: { group: unique('group') }, reason: 'A test.' };
  must(200, await olga.post('/v1/ops/dead-letters/discard', nothing, { headers }));
  const missing = `/v1/ops/dead-letters/${newId('dead_letter')}/replay`;
  expectRefusal(await olga.post(missing, { surprise: 1 }, { headers }), 'validation_error');
  expectRefusal(await olga.post(missing), 'dead_letter_not_found');
  expectRefusal(await olga.post(missing, undefined, { headers }), 'idempotency_key_reused');
});

test('openapi.json and architecture.md list the checks in the same order', () => {
  const [api, architecture] = ['docs/openapi.json', 'docs/architecture.md'].map((file) => readFileSync(join(ROOT, file), 'utf8'));
  const { info } = JSON.parse(api!) as { info: { description: string } };
  const listed = (text: string): string[] =>
    text.split('\n').filter((line) => /^\d+\. (404 `route|401|429|403|413|400|423|422|404|409)/.test(line));
  expect(listed(info.description).length).toBeGreaterThan(10);
  expect(listed(architecture!)).toEqual(listed(info.description));
});
