import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OperationView } from '@reprise/contracts';
import { conversationOf, eventually, fill, promise, SERVICES, treeOf, unique, useStack } from './support';

const stack = useStack({
  settings: {
    // A dead worker's job is taken over soon; the default suits machines that pause now and then.
    provisioner: { JOB_LEASE_SECONDS: '2', WORKER_POLL_MS: '200', RECONCILE_INTERVAL_SECONDS: '1' },
  },
});
/** Enough for a snapshot to take a moment in which something can be killed. */
const MEGABYTES = 24;

/** A workspace with files and a conversation, and what to compare them with afterwards. */
async function rememberable() {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.run(id, 'echo remember > word.txt');
  await alice.reach(id, 'idle');
  const { files, pid } = stack.pod(id);
  fill(files, { megabytes: MEGABYTES });
  const [tree, conversation, watch] = [treeOf(files), conversationOf(files), stack.watchPods(id)];

  /** That the operation ended well, with one pod, another one, and the same state. */
  async function carried(operation: OperationView): Promise<void> {
    expect(operation).toMatchObject({ kind: 'restart', status: 'succeeded', generation: 2 });
    expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 2, operation: null });
    const pod = stack.pod(id);
    expect(pod.generation).toBe(2);
    expect(pod.pid).not.toBe(pid);
    expect(watch.end()).toBe(1);
    expect(treeOf(pod.files)).toEqual(tree);
    expect(conversationOf(pod.files).slice(0, conversation.length)).toEqual(conversation);
    expect(await alice.run(id, 'cat word.txt')).toMatchObject({ status: 'completed', output: expect.stringContaining('remember') });
    await alice.reach(id, 'idle');
    const accepted = await stack.ground.sql("SELECT id FROM lifecycle.operations WHERE workspace_id = $1 AND kind = 'restart'", [id]);
    expect(accepted).toEqual([{ id: operation.id }]);
  }
  return { alice, id, carried };
}

describe.each(SERVICES)('%s killed', (service) => {
  promise('while the snapshot is made: the restart ends well', async () => {
    const { alice, id, carried } = await rememberable();
    const operation = await alice.begin(id, 'restart');
    await alice.inPhase(operation, 'snapshot');
    await stack.service(service).kill();
    await stack.service(service).start();
    await carried(await alice.ended(operation));
  });

  promise('as the restart is asked for: repeated with its key it is one restart', async () => {
    const { alice, id, carried } = await rememberable();
    const headers = { 'idempotency-key': unique('key') };
    const restart = () => alice.post(`/v1/workspaces/${id}/restart`, undefined, { headers });
    const first = restart().catch((error: unknown) => error);
    await stack.service(service).kill();
    await stack.service(service).start();
    await first;
    const accepted = await eventually(
      async () => {
        const answer = await restart();
        expect(answer.status).toBe(202);
        return answer.body.operation_id as string;
      },
      { within: 30_000 },
    );
    await carried(await alice.ended(accepted));
  });
});

describe.each(['quiesce', 'verify', 'teardown', 'create', 'restore', 'ready'])('the provisioner killed in the phase %s', (phase) => {
  promise('goes on where it stopped', async () => {
    const { alice, id, carried } = await rememberable();
    const operation = await alice.begin(id, 'restart');
    await alice.inPhase(operation, phase);
    await stack.service('provisioner').kill();
    await stack.service('provisioner').start();
    await carried(await alice.ended(operation));
  });
});

promise('all services killed at once in the middle: the restart ends well', async () => {
  const { alice, id, carried } = await rememberable();
  const operation = await alice.begin(id, 'restart');
  await alice.inPhase(operation, 'snapshot');
  await Promise.all(SERVICES.map((name) => stack.service(name).kill()));
  await Promise.all(SERVICES.map((name) => stack.service(name).start()));
  await carried(await alice.ended(operation));
});

promise('every connection to the broker cut in the middle: the restart ends well, and nothing is dead', async () => {
  const { alice, id, carried } = await rememberable();
  const connections = await stack.ground.brokerConnections();
  const operation = await alice.begin(id, 'restart');
  await alice.inPhase(operation, 'snapshot');
  await stack.ground.closeConnections(connections);
  await carried(await alice.ended(operation));
  expect(await stack.ground.deadLetters()).toEqual([]);
});

promise('a task goes on and its end is told, although everything but its pod was killed meanwhile', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  const task = await alice.running(id, 'until [ -e go ]; do sleep 0.1; done; echo went');
  await Promise.all(SERVICES.map((name) => stack.service(name).kill()));
  writeFileSync(join(stack.pod(id).files, 'go'), '');
  await eventually(() => expect(conversationOf(stack.pod(id).files).at(-1)).toMatchObject({ type: 'task.ended', task_id: task }));
  await Promise.all(SERVICES.map((name) => stack.service(name).start()));
  expect(await alice.taskEnded(id, task)).toMatchObject({ status: 'completed', output: expect.stringContaining('went') });
  await alice.reach(id, 'idle');
});
