import { type Answer, eventually, expectRefusal, must, promise, unique, useStack } from './support';

const stack = useStack();
const TWENTY = Array.from({ length: 20 });

promise('of twenty restarts at once one is accepted and nineteen are refused, and there is one pod', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const watch = stack.watchPods(id);
  const answers = await Promise.all(TWENTY.map(() => alice.post(`/v1/workspaces/${id}/restart`)));
  const accepted = answers.filter(({ status }) => status === 202);
  expect(accepted).toHaveLength(1);
  for (const refused of answers.filter(({ status }) => status !== 202)) expectRefusal(refused, 'invalid_state');
  await alice.succeeded(accepted[0]!.body.operation_id);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 2 });
  expect(watch.end()).toBe(1);
  expect(await stack.ground.sql('SELECT kind FROM lifecycle.operations WHERE workspace_id = $1 ORDER BY id', [id])).toEqual([
    { kind: 'create' },
    { kind: 'restart' },
  ]);
});

promise('twenty restarts at once with one key are one restart with twenty identical answers', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const headers = { 'idempotency-key': unique('key') };
  const restart = () => alice.post(`/v1/workspaces/${id}/restart`, undefined, { headers });
  const answers = await Promise.all(TWENTY.map(restart));
  // One that came while the first was being decided may be told to repeat itself; repeated, it has the first one's answer.
  const settled = await Promise.all(answers.map((answer) => eventually(async () => repeated(answer, restart))));
  for (const { status, body } of settled) expect([status, body]).toEqual([202, settled[0]!.body]);
  await alice.succeeded(settled[0]!.body.operation_id);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 2 });

  // Also afterwards, and through other processes than those that answered first.
  await Promise.all([stack.service('lifecycle').kill(), stack.service('gateway').kill()]);
  await Promise.all([stack.service('lifecycle').start(), stack.service('gateway').start()]);
  const later = await restart();
  expect([later.status, later.body]).toEqual([202, settled[0]!.body]);
  expect((await alice.see(id)).generation).toBe(2);
});

promise('twenty creates at once with one key make one workspace', async () => {
  const { alice } = await stack.tenant();
  const role = await alice.role();
  const headers = { 'idempotency-key': unique('key') };
  const answers = await Promise.all(TWENTY.map(() => alice.post('/v1/workspaces', { role_id: role.id }, { headers })));
  for (const { status, body } of answers) expect([status, body]).toEqual([201, answers[0]!.body]);
  expect(must(200, await alice.get('/v1/workspaces')).workspaces).toHaveLength(1);
  await alice.reach(answers[0]!.body.id, 'idle');
  expect(stack.pods(answers[0]!.body.id)).toHaveLength(1);
});

promise('a key that was used with another request is refused, and keys of two tenants are two keys', async () => {
  const [{ alice }, { alice: stranger }] = [await stack.tenant(), await stack.tenant()];
  const headers = { 'idempotency-key': unique('key') };
  const provider = (name: string) => ({ name, kind: 'none' });
  const first = must(201, await alice.post('/v1/providers', provider('first'), { headers }));
  expectRefusal(await alice.post('/v1/providers', provider('second'), { headers }), 'idempotency_key_reused');
  expectRefusal(
    await alice.post('/v1/agent-roles', { name: 'first', command: ['sh'], provider_id: first.id }, { headers }),
    'idempotency_key_reused',
  );
  // The order of the fields is not part of the request.
  expect(must(201, await alice.post('/v1/providers', { kind: 'none', name: 'first' }, { headers }))).toEqual(first);
  expect(must(201, await stranger.post('/v1/providers', provider('second'), { headers })).name).toBe('second');
});

promise('a second user with the first one’s key gets an effect or a refusal of its own, and changes nothing for the first', async () => {
  const tenant = await stack.tenant();
  const { alice } = tenant;
  const [bob, narrow] = [tenant.as('bob'), tenant.as('bob', ['workspace:write:own'])];
  const { id } = await alice.workspace();
  const headers = { 'idempotency-key': unique('key') };
  const restart = (who: typeof alice) => who.post(`/v1/workspaces/${id}/restart`, undefined, { headers });

  expectRefusal(await restart(narrow), 'permission_denied');
  const first = await restart(alice);
  await alice.succeeded(must(202, first).operation_id);
  expectRefusal(await restart(narrow), 'permission_denied');
  const his = must(202, await restart(bob));
  expect(his.operation_id).not.toBe(first.body.operation_id);
  await alice.succeeded(his.operation_id);
  expect((await restart(alice)).body).toEqual(first.body);
  expect((await restart(bob)).body).toEqual(his);
  expect((await alice.see(id)).generation).toBe(3);
});

promise('a refusal that came with a key is the answer to that key for good', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const headers = { 'idempotency-key': unique('key') };
  expectRefusal(await alice.post(`/v1/workspaces/${id}/resume`, undefined, { headers }), 'invalid_state', { status: 'idle' });
  await alice.stop(id);
  expectRefusal(await alice.post(`/v1/workspaces/${id}/resume`, undefined, { headers }), 'invalid_state', { status: 'idle' });
  await alice.resume(id);
});

promise('of twenty tasks at once one is taken', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const answers = await Promise.all(
    TWENTY.map(() => alice.post(`/v1/workspaces/${id}/tasks`, { description: 'echo ran >> ran.txt; sleep 1' })),
  );
  const taken = answers.filter(({ status }) => status === 202).map(({ body }) => body.task_id as string);
  expect(taken).toHaveLength(1);
  for (const refused of answers.filter(({ status }) => status !== 202)) expectRefusal(refused, 'workspace_busy', { task_id: taken[0] });
  expect(await alice.taskEnded(id, taken[0]!)).toMatchObject({ status: 'completed' });
  await alice.reach(id, 'idle');
  expect((await alice.run(id, 'cat ran.txt')).output?.trim()).toBe('ran');
});

/** The answer, or, where it says to repeat the request, the next one. */
async function repeated(answer: Answer, repeat: () => Promise<Answer>): Promise<Answer> {
  if (answer.body.error?.code !== 'idempotency_in_progress') return answer;
  const next = await repeat();
  expect(next.body.error?.code).not.toBe('idempotency_in_progress');
  return next;
}
