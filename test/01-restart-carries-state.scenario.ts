import { conversationOf, eventually, fill, must, processesOf, promise, treeOf, useStack } from './support';

const stack = useStack();
const RESTART = ['quiesce', 'snapshot', 'verify', 'teardown', 'create', 'restore', 'ready'];

promise('a new workspace is provisioned and becomes idle, with one pod', async () => {
  const { alice, org } = await stack.tenant();
  const role = await alice.role();
  const answer = await alice.post('/v1/workspaces', { role_name: role.name, environment: 'staging' });
  const made = must(201, answer);
  expect(made).toMatchObject({
    id: expect.stringMatching(/^ws_[0-9a-z]{26}$/),
    org_id: org,
    role_id: role.id,
    environment: 'staging',
    status: 'provisioning',
    generation: 1,
    created_by_user_id: 'alice',
    snapshot_ref: null,
    last_snapshot_error: null,
    pack_status: 'unknown',
    archived_at: null,
    operation: { kind: 'create', generation: 1, finished_at: null },
  });
  const operation = await alice.succeeded(made.operation.id);
  expect(operation.phases.map(({ name, status }) => [name, status])).toEqual([
    ['create', 'succeeded'],
    ['ready', 'succeeded'],
  ]);
  expect(await alice.see(made.id)).toMatchObject({ status: 'idle', operation: null, pack_status: 'current', generation: 1 });
  expect(stack.pods(made.id)).toHaveLength(1);
});

promise('a task runs in the workspace, sees its environment, and its output is told', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace({ role_id: (await alice.role({ env: { COLOUR: 'green' } })).id });
  const task = await alice.run(id, 'echo "the colour is $COLOUR" | tee answer.txt');
  expect(task).toMatchObject({ workspace_id: id, status: 'completed', output: expect.stringContaining('the colour is green') });
  expect(task.duration_seconds).toBeGreaterThanOrEqual(0);
  expect(Date.parse(task.completed_at ?? '')).toBeGreaterThanOrEqual(Date.parse(task.started_at ?? ''));
  expect(treeOf(stack.pod(id).files)).toHaveProperty(['answer.txt']);
  await alice.reach(id, 'idle');
  const failed = await alice.run(id, 'echo what went wrong >&2; exit 7');
  expect(failed).toMatchObject({ status: 'failed', reason: 'exit_7' });
  const { tasks } = must(200, await alice.get(`/v1/workspaces/${id}/tasks`));
  expect(tasks.map((each: { id: string }) => each.id)).toEqual([failed.id, task.id]);
});

promise('a restart carries the files and the conversation, byte for byte and mode for mode, into another pod', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.run(id, 'echo remember this > memory.txt; mkdir made; ln -s memory.txt made/link');
  await alice.reach(id, 'idle');
  const before = stack.pod(id);
  fill(before.files, { megabytes: 6 });
  const [tree, conversation] = [treeOf(before.files), conversationOf(before.files)];
  const watch = stack.watchPods(id);

  const operation = await alice.restart(id);

  const after = stack.pod(id);
  expect(treeOf(after.files)).toEqual(tree);
  expect(conversationOf(after.files).slice(0, conversation.length)).toEqual(conversation);
  expect(conversation.map(({ type }) => type)).toEqual(['pod.started', 'task.started', 'task.ended']);
  expect(conversationOf(after.files).slice(conversation.length)).toMatchObject([{ type: 'pod.started', generation: 2 }]);
  expect(after.pid).not.toBe(before.pid);
  expect(after.generation).toBe(2);
  expect(processesOf(before)).toEqual([]);
  expect(watch.end()).toBe(1);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 2, snapshot_ref: expect.stringMatching(/^snap_/) });
  expect(operation).toMatchObject({ kind: 'restart', generation: 2, force: false, requested_by: 'alice' });
});

promise('a restarted workspace remembers what it was told before', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  for (const word of ['one', 'two', 'three']) {
    await alice.run(id, `echo ${word} >> words.txt`);
    await alice.reach(id, 'idle');
    await alice.restart(id);
  }
  expect(await alice.run(id, 'cat words.txt')).toMatchObject({
    status: 'completed',
    output: expect.stringMatching(/^one\ntwo\nthree\n?$/),
  });
});

promise('the operation shows its phases in their order, each with its times', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const operation = await alice.restart(id);
  expect(operation.phases.map(({ name, status }) => [name, status])).toEqual(RESTART.map((name) => [name, 'succeeded']));
  const times = operation.phases.flatMap(({ started_at, finished_at }) => [started_at, finished_at ?? 'missing']);
  expect(times).toEqual([...times].sort());
  expect(operation.error).toBeUndefined();
});

promise('waiting for an operation answers as soon as it ends, and at the latest when the time is up', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  // A file that takes a moment to save, so that the operation still runs when the first wait is over.
  fill(stack.pod(id).files, { megabytes: 48 });
  const operation = await alice.begin(id, 'restart');
  const first = must(200, await alice.get(`/v1/operations/${operation}?wait=0`));
  expect(first.finished_at).toBeNull();
  // One that only answered when its minute is over would outlast this test's own limit.
  const last = must(200, await alice.get(`/v1/operations/${operation}?wait=60`));
  expect(last).toMatchObject({ status: 'succeeded' });
});

promise('a restart runs the new pod with the role as it is then', async () => {
  const { alice } = await stack.tenant();
  const role = await alice.role({ command: ['sh', '-c', 'echo first: $(cat)'] });
  const { id } = await alice.workspace({ role_id: role.id });
  expect((await alice.run(id, 'hello')).output).toContain('first: hello');
  await alice.reach(id, 'idle');

  const changed = must(200, await alice.patch(`/v1/agent-roles/${role.id}`, { command: ['sh', '-c', 'echo second: $(cat)'] }));
  expect(changed.version).toBe(role.version + 1);
  expect((await alice.see(id)).pack_status).toBe('stale');
  expect((await alice.run(id, 'still')).output).toContain('first: still');
  await alice.reach(id, 'idle');

  await alice.restart(id);
  expect((await alice.see(id)).pack_status).toBe('current');
  expect((await alice.run(id, 'hello')).output).toContain('second: hello');
});

promise('everything is told as events, and nothing is left in an outbox or in the dead letters', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.restart(id);
  const changes = await eventually(() => {
    const events = stack.publisher.eventsAbout(id, 'reprise.workspace.status-changed.v1').map(({ data }) => data.status as string);
    expect(events).toHaveLength(5);
    return events;
  });
  expect(changes).toEqual(['provisioning', 'idle', 'stopping', 'provisioning', 'idle']);
  await eventually(async () => {
    for (const schema of ['lifecycle', 'provisioner', 'billing'])
      expect(await stack.ground.sql(`SELECT * FROM ${schema}.outbox`)).toEqual([]);
  });
  expect(await stack.ground.deadLetters()).toEqual([]);
});
