import { conversationOf, eventually, expectRefusal, must, processesOf, promise, treeOf, useStack } from './support';

const stack = useStack();
const LONG = 'echo so far; echo begun > begun.txt; sleep 600 & sleep 600';

promise('a busy workspace refuses a restart, names its task, and goes on with it', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const task = await alice.running(id, LONG);
  const before = await alice.see(id);
  expectRefusal(await alice.post(`/v1/workspaces/${id}/restart`), 'workspace_busy', { task_id: task });
  expectRefusal(await alice.post(`/v1/workspaces/${id}/restart?force=false`), 'workspace_busy', { task_id: task });
  expect(await alice.see(id)).toEqual(before);
  expect(await alice.task(id, task)).toMatchObject({ status: 'running' });
  expect(stack.pod(id).generation).toBe(1);
});

promise('a busy workspace takes no second task', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const task = await alice.submit(id, LONG);
  expectRefusal(await alice.post(`/v1/workspaces/${id}/tasks`, { description: 'echo second' }), 'workspace_busy', { task_id: task });
});

promise('a forced restart ends the task as interrupted, and the history says so', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const task = await alice.running(id, LONG);
  await eventually(() => expect(treeOf(stack.pod(id).files)).toHaveProperty(['begun.txt']));
  const old = stack.pod(id);

  const operation = await alice.succeeded(await alice.begin(id, 'restart?force=true'));

  expect(operation).toMatchObject({ kind: 'restart', force: true });
  expect(await alice.task(id, task)).toMatchObject({
    status: 'cancelled',
    reason: 'interrupted_by_restart',
    output: expect.stringContaining('so far'),
  });
  expect(await alice.see(id)).toMatchObject({ status: 'idle' });
  const { files } = stack.pod(id);
  expect(conversationOf(files)).toContainEqual(
    expect.objectContaining({ type: 'task.ended', task_id: task, status: 'cancelled', reason: 'interrupted_by_restart' }),
  );
  expect(treeOf(files)).toHaveProperty(['begun.txt']);
  // The whole process group of the task went with the pod, what it left in the background too.
  expect(processesOf(old)).toEqual([]);
  expect(await alice.run(id, 'echo again')).toMatchObject({ status: 'completed' });
});

promise('a stop of a busy workspace ends the task as interrupted', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const task = await alice.running(id, LONG);
  await alice.stop(id);
  expect(await alice.task(id, task)).toMatchObject({ status: 'cancelled', reason: 'interrupted_by_stop' });
  expect(await alice.see(id)).toMatchObject({ status: 'stopped' });
});

promise('a cancelled task ends, and its workspace is idle again', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  expectRefusal(await alice.post(`/v1/workspaces/${id}/task/cancel`), 'invalid_state', { status: 'idle' });
  const task = await alice.running(id, LONG);
  must(202, await alice.post(`/v1/workspaces/${id}/task/cancel`));
  expect(await alice.taskEnded(id, task)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_user' });
  await alice.reach(id, 'idle');
  expect(stack.pod(id).generation).toBe(1);
});

promise('a task that runs past the time limit of its role fails', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace({ role_id: (await alice.role({ task_timeout_seconds: 1 })).id });
  expect(await alice.run(id, LONG)).toMatchObject({ status: 'failed', reason: 'timeout' });
  await alice.reach(id, 'idle');
});
