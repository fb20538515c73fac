import { conversationOf, eventually, expectRefusal, fill, must, processesOf, promise, treeOf, useStack } from './support';

const stack = useStack();

promise('a stopped workspace has no pod, and a resumed one has all that it had', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.run(id, 'echo kept > note.txt');
  await alice.reach(id, 'idle');
  const pod = stack.pod(id);
  fill(pod.files);
  const [tree, conversation] = [treeOf(pod.files), conversationOf(pod.files)];

  const stop = await alice.stop(id);

  expect(stop.phases.map(({ name }) => name)).toEqual(['quiesce', 'snapshot', 'verify', 'teardown']);
  expect(await alice.see(id)).toMatchObject({ status: 'stopped', pack_status: 'unknown', snapshot_ref: expect.stringMatching(/^snap_/) });
  expect(stack.pods(id)).toEqual([]);
  expect(processesOf(pod)).toEqual([]);

  const operation = await alice.begin(id, 'resume');
  const resume = await alice.succeeded(operation);

  expect(resume.phases.map(({ name }) => name)).toEqual(['create', 'restore', 'ready']);
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 3 });
  expect(treeOf(stack.pod(id).files)).toEqual(tree);
  expect(conversationOf(stack.pod(id).files).slice(0, conversation.length)).toEqual(conversation);
  const statuses = () => stack.publisher.eventsAbout(id, 'reprise.workspace.status-changed.v1').map(({ data }) => data.status as string);
  await eventually(() => expect(statuses().slice(-4)).toEqual(['stopping', 'stopped', 'provisioning', 'idle']));
});

promise('the working directory is the same path after a restart and after a resume', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  // What a virtual environment holds: the absolute path of its own programs.
  await alice.run(id, `printf '#!/bin/sh\necho made by %s in %s\n' "$PWD" "$HOME" > tool; chmod +x tool; ln -s "$PWD/tool" link`);
  await alice.reach(id, 'idle');
  const { files } = stack.pod(id);
  const said = async () => (await alice.run(id, 'pwd -P; "$PWD/link"')).output;
  const expected = `${files}\nmade by ${files} in ${files}\n`;
  expect(await said()).toBe(expected);
  await alice.reach(id, 'idle');

  await alice.restart(id);
  expect(await said()).toBe(expected);
  await alice.reach(id, 'idle');

  await alice.stop(id);
  await alice.resume(id);
  expect(await said()).toBe(expected);
  expect(stack.pod(id).files).toBe(files);
});

promise('a second stop saves what came after the first resume', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  for (const word of ['one', 'two']) {
    await alice.run(id, `echo ${word} >> words.txt`);
    await alice.reach(id, 'idle');
    await alice.stop(id);
    await alice.resume(id);
  }
  expect((await alice.run(id, 'cat words.txt')).output).toMatch(/^one\ntwo\n?$/);
});

promise('a workspace is not resumed while it runs, nor stopped or restarted while it does not', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  expectRefusal(await alice.post(`/v1/workspaces/${id}/resume`), 'invalid_state', { status: 'idle' });
  await alice.stop(id);
  const before = await alice.see(id);
  expectRefusal(await alice.post(`/v1/workspaces/${id}/stop`), 'invalid_state', { status: 'stopped' });
  expectRefusal(await alice.post(`/v1/workspaces/${id}/restart`), 'invalid_state', { status: 'stopped' });
  expectRefusal(await alice.post(`/v1/workspaces/${id}/restart?force=true`), 'invalid_state', { status: 'stopped' });
  expectRefusal(await alice.post(`/v1/workspaces/${id}/tasks`, { description: 'echo' }), 'invalid_state', { status: 'stopped' });
  expect(await alice.see(id)).toEqual(before);
});

promise('while it is stopped the workspace can be listed by its status, a page at a time', async () => {
  const { alice } = await stack.tenant();
  const role = await alice.role();
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.unshift((await alice.workspace({ role_id: role.id })).id);
  await alice.stop(ids[1]!);
  const listed = async (query: string) =>
    must(200, await alice.get<{ workspaces: { id: string }[]; cursor?: string }>(`/v1/workspaces?${query}`));
  const idsOf = ({ workspaces }: { workspaces: { id: string }[] }) => workspaces.map(({ id }) => id);
  expect(idsOf(await listed('status=stopped'))).toEqual([ids[1]]);
  expect(idsOf(await listed(`status=idle&role_name=${role.name}`))).toEqual([ids[0], ids[2]]);
  const first = await listed('limit=2');
  const rest = await listed(`limit=2&cursor=${first.cursor}`);
  expect([...idsOf(first), ...idsOf(rest)]).toEqual(ids);
  expect(rest.cursor).toBeUndefined();
});

promise('a workspace whose pod is lost is failed, its task too, and resume brings it back', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.run(id, 'echo saved > saved.txt');
  await alice.reach(id, 'idle');
  await alice.restart(id);
  const task = await alice.running(id, 'sleep 600');
  const pod = stack.pod(id);
  for (const pid of processesOf(pod)) process.kill(pid, 'SIGKILL');
  await alice.reach(id, 'failed');
  expect(await alice.task(id, task)).toMatchObject({ status: 'failed', reason: 'pod_lost' });
  await alice.resume(id);
  expect((await alice.run(id, 'cat saved.txt')).output).toMatch(/^saved/);
});

promise('a workspace whose role asks for it is resumed by itself when its pod is lost', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace({ role_id: (await alice.role({ on_pod_lost: 'resume' })).id });
  await alice.run(id, 'echo saved > saved.txt');
  await alice.reach(id, 'idle');
  await alice.restart(id);
  for (const pid of processesOf(stack.pod(id))) process.kill(pid, 'SIGKILL');
  await eventually(async () => expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 3 }), { within: 60_000 });
  expect((await alice.run(id, 'cat saved.txt')).output).toMatch(/^saved/);
});
