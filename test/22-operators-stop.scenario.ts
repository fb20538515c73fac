import { eventually, must, promise, reprise, useStack } from './support';

const stack = useStack();
const REASON = 'its agent does not answer';

promise('a workspace that cannot be saved is stopped by an operator, and goes on from its last snapshot', async () => {
  const { alice } = await stack.tenant();
  const olga = stack.operators().as('olga', ['ops:write']);
  const { id } = await alice.workspace();
  await alice.run(id, 'echo saved > file');
  await alice.reach(id, 'idle');
  await alice.restart(id);
  await alice.run(id, 'echo since then >> file');
  await alice.reach(id, 'idle');
  const { snapshot_ref: snapshot } = await alice.see(id);
  // As a tenant may do to its pod, where nothing separates the two.
  process.kill(stack.pod(id).pid, 'SIGSTOP');
  must(403, await alice.post(`/v1/ops/workspaces/${id}/stop`, { reason: REASON }));

  const how = ['--without-snapshot', '--reason', REASON, '--json'];
  const { operation_id: operation } = JSON.parse(await reprise(stack, olga.token, ['workspaces', 'stop', id, ...how])) as {
    operation_id: string;
  };

  const ended = await alice.succeeded(operation);
  expect(ended).toMatchObject({ kind: 'stop', requested_by: 'reprise:operator' });
  expect(ended.phases.map(({ name }) => name)).toEqual(['teardown']);
  await eventually(() => expect(stack.pods(id)).toEqual([]));
  expect(await alice.see(id)).toMatchObject({
    status: 'stopped',
    snapshot_ref: snapshot,
    last_snapshot_error: expect.stringContaining('discarded'),
  });
  expect(await alice.succeeded(await alice.begin(id, 'resume'))).toMatchObject({ state_from: snapshot });
  expect((await alice.run(id, 'cat file')).output).toBe('saved\n');
});
