import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { conversationOf, eventually, fill, must, processesOf, promise, treeOf, useStack } from './support';

const stack = useStack();

/** A workspace with a snapshot, and with files and a task since then that no snapshot has. */
async function workedIn(role?: { on_pod_lost: 'resume' }) {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace(role ? { role_id: (await alice.role(role)).id } : undefined);
  await alice.run(id, 'echo saved > saved.txt');
  await alice.reach(id, 'idle');
  await alice.restart(id);
  await alice.run(id, 'echo since then >> saved.txt; echo said');
  await alice.reach(id, 'idle');
  const { files } = stack.pod(id);
  fill(files);
  return { alice, id, files };
}

promise('a killed agent costs no file and no word of the conversation: resume saves what it left, and goes on from it', async () => {
  const { alice, id, files } = await workedIn();
  const [tree, conversation] = [treeOf(files), readFileSync(join(files, '.reprise/conversation.ndjson'), 'utf8')];
  process.kill(stack.pod(id).pid, 'SIGKILL');
  await alice.reach(id, 'failed');
  const watch = stack.watchPods(id);

  const operation = await alice.succeeded(await alice.begin(id, 'resume'));

  expect(operation.phases.map(({ name }) => name)).toEqual(['salvage', 'snapshot', 'verify', 'teardown', 'create', 'restore', 'ready']);
  expect(operation).toMatchObject({ state_from: 'salvage' });
  const { snapshot_ref: snapshot, ...workspace } = await alice.see(id);
  expect(workspace).toMatchObject({ status: 'idle', last_snapshot_error: null });
  expect(operation.phases.find(({ name }) => name === 'restore')?.detail).toContain(`from snapshot ${snapshot} of 20`);
  expect(watch.end()).toBe(1);
  expect(treeOf(stack.pod(id).files)).toEqual(tree);
  expect(readFileSync(join(stack.pod(id).files, '.reprise/conversation.ndjson'), 'utf8').startsWith(conversation)).toBe(true);
  const succeeded = () => stack.publisher.eventsAbout(id, 'reprise.operation.succeeded.v1').at(-1)?.data;
  await eventually(() => expect(succeeded()).toMatchObject({ kind: 'resume', state_from: 'salvage', snapshot_id: snapshot }));
});

promise('a task that was killed with its agent has failed, and what it had written by then is there after the resume', async () => {
  const { alice, id, files } = await workedIn();
  const task = await alice.running(id, 'while :; do echo line >> written.txt; sleep 0.02; done');
  const lines = () => readFileSync(join(files, 'written.txt'), 'utf8').split('\n').length - 1;
  await eventually(() => expect(lines()).toBeGreaterThan(5));
  const seen = lines();
  // The agent alone: the task that it leaves goes on until it is ended for the salvage.
  process.kill(stack.pod(id).pid, 'SIGKILL');
  await alice.reach(id, 'failed');
  expect(await alice.task(id, task)).toMatchObject({ status: 'failed', reason: 'pod_lost' });

  expect(await alice.succeeded(await alice.begin(id, 'resume'))).toMatchObject({ state_from: 'salvage' });

  expect(lines()).toBeGreaterThanOrEqual(seen);
  expect(readFileSync(join(stack.pod(id).files, 'written.txt'), 'utf8')).toMatch(/^(line\n)+$/);
  expect(conversationOf(stack.pod(id).files)).toContainEqual(expect.objectContaining({ type: 'task.started', task_id: task }));
});

promise('a workspace that its role has resumed by itself has what its lost pod left, too', async () => {
  const { alice, id, files } = await workedIn({ on_pod_lost: 'resume' });
  const tree = treeOf(files);
  for (const pid of processesOf(stack.pod(id))) process.kill(pid, 'SIGKILL');
  await eventually(async () => expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 3 }), { within: 60_000 });
  expect(treeOf(stack.pod(id).files)).toEqual(tree);
});

promise('a stopped workspace begins from its snapshot, and a new one from nothing: their operations say so', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.stop(id);
  const { snapshot_ref: snapshot } = await alice.see(id);
  expect(await alice.succeeded(await alice.begin(id, 'resume'))).toMatchObject({ state_from: snapshot });
  const made = stack.publisher.eventsAbout(id, 'reprise.operation.succeeded.v1').find(({ data }) => data.kind === 'create')?.data;
  expect(made).toMatchObject({ state_from: 'empty' });
});

promise('where the files of a lost pod are gone, operation and workspace say from which snapshot it goes on', async () => {
  const { alice, id, files } = await workedIn();
  const { snapshot_ref: snapshot } = await alice.see(id);
  for (const pid of processesOf(stack.pod(id))) process.kill(pid, 'SIGKILL');
  execFileSync('chmod', ['-R', 'u+rwX', files]);
  rmSync(files, { recursive: true });
  await alice.reach(id, 'failed');

  const operation = await alice.succeeded(await alice.begin(id, 'resume'));

  expect(operation).toMatchObject({ state_from: snapshot });
  expect(operation.phases.find(({ name }) => name === 'restore')?.detail).toMatch(/state: from snapshot snap_\w+ of 20\d\d-/);
  const said = new RegExp(`Pod 2 was lost.* The state is that of snapshot ${snapshot} of 20`);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', last_snapshot_error: expect.stringMatching(said) });
  expect((await alice.run(id, 'cat saved.txt')).output).toBe('saved\n');
  await alice.reach(id, 'idle');
  await alice.restart(id);
  expect(await alice.see(id)).toMatchObject({ last_snapshot_error: null });
});

promise('whoever asks for the last snapshot gets it, and what the lost pod left is discarded', async () => {
  const { alice, id } = await workedIn();
  const { snapshot_ref: snapshot } = await alice.see(id);
  process.kill(stack.pod(id).pid, 'SIGKILL');
  await alice.reach(id, 'failed');
  const { operation_id: operation } = must(202, await alice.post(`/v1/workspaces/${id}/resume?from_snapshot=true`));
  expect(await alice.succeeded(operation)).toMatchObject({ state_from: snapshot });
  expect(await alice.see(id)).toMatchObject({ last_snapshot_error: expect.stringContaining('discarded') });
  expect((await alice.run(id, 'cat saved.txt')).output).toBe('saved\n');
});

promise('an idle workspace is saved as often as its role asks, and comes back from there where pod and files are gone', async () => {
  const { alice } = await stack.tenant();
  const role = await alice.role({ checkpoint_interval_seconds: 1 });
  expect(role).toMatchObject({ checkpoint_interval_seconds: 1 });
  const { id } = await alice.workspace({ role_id: role.id });
  await alice.run(id, 'echo saved > saved.txt');
  await alice.reach(id, 'idle');
  const before = stack.pod(id);
  await eventually(async () => expect(await alice.see(id)).toMatchObject({ snapshot_ref: expect.stringMatching(/^snap_/) }), {
    within: 60_000,
  });
  const { snapshot_ref: snapshot } = await alice.see(id);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 1, operation: null });
  expect(stack.pod(id)).toEqual(before);
  for (const pid of processesOf(stack.pod(id))) process.kill(pid, 'SIGKILL');
  rmSync(before.files, { recursive: true });
  await alice.reach(id, 'failed');
  expect(await alice.succeeded(await alice.begin(id, 'resume'))).toMatchObject({ state_from: snapshot });
  expect((await alice.run(id, 'cat saved.txt')).output).toBe('saved\n');
});
