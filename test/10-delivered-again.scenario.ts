import { randomUUID } from 'node:crypto';
import { newId, podToken } from '@reprise/contracts';
import { expectRefusal, must, promise, treeOf, useStack } from './support';

const stack = useStack();
const RESTART = 'reprise.workspace.restart.v1';

promise('the same command delivered three times has one effect and one answer', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  const command = { type: RESTART, id: randomUUID(), org, subject: id, data: { workspace_id: id } };
  const replies = await Promise.all([1, 2, 3].map(() => stack.publisher.ask(command)));
  expect(replies[0]).toEqual({ status: 'done', value: { status: 'restarting', operation_id: expect.stringMatching(/^op_/) } });
  expect(replies.slice(1)).toEqual([replies[0], replies[0]]);
  await alice.succeeded(replies[0].value.operation_id);
  // Also long after, when the workspace could be restarted again.
  expect(await stack.publisher.ask(command)).toEqual(replies[0]);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 2 });
  expect(stack.pod(id).generation).toBe(2);
});

promise('the same command delivered three times without a reply address is told of once', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  const command = { type: RESTART, id: randomUUID(), correlationId: randomUUID(), org, subject: id, data: { workspace_id: id } };
  for (let n = 0; n < 3; n++) await stack.publisher.publish(command);
  await stack.publisher.event('reprise.operation.succeeded.v1', command.correlationId);
  await stack.publisher.publish(command);
  // A later command of the same publisher is answered after it.
  await stack.publisher.ask({ ...command, id: randomUUID(), correlationId: randomUUID() });
  const told = stack.publisher.events.filter(({ correlationId }) => correlationId === command.correlationId).map(({ type }) => type);
  expect(told.filter((type) => type === 'reprise.command.accepted.v1')).toHaveLength(1);
  expect(told.filter((type) => type === 'reprise.operation.succeeded.v1')).toHaveLength(1);
  expect(told).not.toContain('reprise.command.refused.v1');
});

promise('the same message id with another body has no effect', async () => {
  const { alice, org } = await stack.tenant();
  const [first, second] = [await alice.workspace(), await alice.workspace()];
  const message = { type: RESTART, id: randomUUID(), org };
  await stack.publisher.ask({ ...message, data: { workspace_id: first.id } });
  await stack.publisher.publish({ ...message, data: { workspace_id: second.id } });
  await alice.reach(first.id, 'idle');
  await stack.publisher.ask({ ...message, id: randomUUID(), data: { workspace_id: newId('workspace') } });
  expect(await alice.see(second.id)).toMatchObject({ status: 'idle', generation: 1 });
  await stack.ground.deadLetters();
});

promise('a pod command of an old generation makes and removes nothing', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.run(id, 'echo kept > kept.txt');
  await alice.reach(id, 'idle');
  const [first] = await stack.ground.sql('SELECT operation_id, spec FROM provisioner.jobs WHERE workspace_id = $1', [id]);
  await alice.restart(id);
  const [pod, jobs] = [stack.pod(id), await jobsOf(id)];
  const lifecycle = await stack.brokerUser('lifecycle');
  const old = { workspace_id: id, deadline_at: new Date(Date.now() + 600_000).toISOString() };
  const commands = [
    {
      type: 'reprise.pod.create.v1',
      data: { ...old, operation_id: first.operation_id, generation: 1, spec: first.spec, snapshot_id: null },
    },
    {
      type: 'reprise.pod.create.v1',
      data: { ...old, operation_id: newId('operation'), generation: 1, spec: first.spec, snapshot_id: null },
    },
    {
      type: 'reprise.pod.replace.v1',
      data: { ...old, operation_id: newId('operation'), generation: 2, pod_generation: 1, force: true, spec: first.spec },
    },
    { type: 'reprise.pod.remove.v1', data: { ...old, operation_id: newId('operation'), generation: 2, pod_generation: 2 } },
    {
      type: 'reprise.pod.run-task.v1',
      data: { workspace_id: id, pod_generation: 1, task_id: newId('task'), description: 'rm -rf *', timeout_seconds: 9 },
    },
  ];
  for (const { type, data } of commands) await lifecycle.publish({ type, data, org, subject: id });
  await everythingBefore();

  expect(await jobsOf(id)).toEqual(jobs);
  expect(stack.pod(id)).toEqual(pod);
  expect(treeOf(pod.files)).toHaveProperty(['kept.txt']);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 2 });
  expect(await stack.ground.deadLetters()).toEqual([]);
  await alice.restart(id);
  expect(stack.pod(id).generation).toBe(3);
});

promise('an event of an old generation changes nothing', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  const [created] = await stack.ground.sql('SELECT id FROM lifecycle.operations WHERE workspace_id = $1', [id]);
  await alice.restart(id);
  const task = await alice.running(id, 'sleep 600');
  const before = await alice.see(id);
  const provisioner = await stack.brokerUser('provisioner');
  const old = { operation_id: created.id as string, workspace_id: id, generation: 1 };
  const events = [
    {
      type: 'reprise.pod.job-failed.v1',
      data: { ...old, pod_kept: false, step: 'create', code: 'create_failed', message: 'late', snapshot_id: null },
    },
    {
      type: 'reprise.pod.step-changed.v1',
      data: {
        ...old,
        ...{ step: 'teardown', status: 'succeeded', attempt: 1, at: new Date().toISOString() },
        next: { step: 'create', attempt: 1 },
      },
    },
    { type: 'reprise.pod.removed.v1', data: { ...old, snapshot_id: newId('snapshot') } },
    { type: 'reprise.pod.ready.v1', data: { ...old, role_version: 1, snapshot_id: null } },
    { type: 'reprise.pod.lost.v1', data: { workspace_id: id, pod_generation: 1, reason: 'late' } },
    {
      type: 'reprise.pod.task-delivery-failed.v1',
      data: { workspace_id: id, pod_generation: 1, task_id: task, reason: 'pod_unreachable' },
    },
  ];
  for (const event of events) await provisioner.publish({ ...event, org, subject: id, exchange: 'reprise.events' });
  await everythingBefore();

  expect(await alice.see(id)).toEqual(before);
  expect(await alice.task(id, task)).toMatchObject({ status: 'running' });
  expect(await stack.ground.deadLetters()).toEqual([]);
});

promise('the report of a pod that was replaced changes nothing, and a forged one is refused', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.restart(id);
  const task = await alice.running(id, 'sleep 600');
  const report = (token: string) =>
    stack.api.send(
      'PUT',
      `/v1/agent/tasks/${task}`,
      { status: 'completed', output: 'not yet', started_at: new Date().toISOString() },
      { token },
    );
  expectRefusal(await report(podToken('another secret altogether', { workspaceId: id, generation: 2 })), 'unauthenticated');
  expectRefusal(await report(alice.token), 'unauthenticated');
  await report(podToken(stack.podTokenSecret, { workspaceId: id, generation: 1 }));
  expect(await alice.task(id, task)).toMatchObject({ status: 'running' });
  expect(must(200, await report(podToken(stack.podTokenSecret, { workspaceId: id, generation: 2 })))).toBeDefined();
  expect(await alice.task(id, task)).toMatchObject({ status: 'completed', output: 'not yet' });
});

const jobsOf = (id: string) =>
  stack.ground.sql('SELECT id, kind, generation, status FROM provisioner.jobs WHERE workspace_id = $1 ORDER BY generation', [id]);

/** Waits until what stood in the queues has been handled: a restart goes through all of them, behind it. */
async function everythingBefore(): Promise<void> {
  const { alice } = await stack.tenant();
  await alice.restart((await alice.workspace()).id);
}
