import { expectRefusal, must, promise, useStack } from './support';

const stack = useStack();

promise('only a workspace at rest is archived, and an archived one does nothing', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  expectRefusal(await alice.post(`/v1/workspaces/${id}/archive`), 'invalid_state', { status: 'idle' });
  expectRefusal(await alice.post(`/v1/workspaces/${id}/unarchive`), 'not_archived');
  await alice.stop(id);
  expect(must(200, await alice.post(`/v1/workspaces/${id}/archive`))).toEqual({ status: 'archived' });

  const before = await alice.see(id);
  expect(before.archived_at).not.toBeNull();
  for (const verb of ['restart', 'restart?force=true', 'resume', 'stop']) {
    expectRefusal(await alice.post(`/v1/workspaces/${id}/${verb}`), 'workspace_archived');
  }
  expectRefusal(await alice.post(`/v1/workspaces/${id}/tasks`, { description: 'echo' }), 'workspace_archived');
  expect(await alice.see(id)).toEqual(before);
  expect(must(200, await alice.get('/v1/workspaces')).workspaces).toEqual([]);
  expect(must(200, await alice.get('/v1/workspaces?include_archived=true')).workspaces).toHaveLength(1);
});

promise('an unarchived workspace is as it was, and resumes', async () => {
  const { alice } = await stack.tenant();
  const { id } = await alice.workspace();
  await alice.run(id, 'echo kept > kept.txt');
  await alice.reach(id, 'idle');
  await alice.stop(id);
  must(200, await alice.post(`/v1/workspaces/${id}/archive`));
  expect(must(200, await alice.post(`/v1/workspaces/${id}/unarchive`))).toEqual({ status: 'unarchived' });
  expect(await alice.see(id)).toMatchObject({ status: 'stopped', archived_at: null });
  await alice.resume(id);
  expect((await alice.run(id, 'cat kept.txt')).output).toMatch(/^kept/);
});

promise('a role is archived once none of its workspaces runs, and then brings up nothing', async () => {
  const { alice } = await stack.tenant();
  const role = await alice.role();
  const { id } = await alice.workspace({ role_id: role.id });
  expectRefusal(await alice.post(`/v1/agent-roles/${role.id}/archive`), 'workspaces_active');
  await alice.stop(id);
  expect(must(200, await alice.post(`/v1/agent-roles/${role.id}/archive`))).toMatchObject({ status: 'archived' });
  const before = await alice.see(id);
  expectRefusal(await alice.post(`/v1/workspaces/${id}/resume`), 'role_archived');
  expectRefusal(await alice.post('/v1/workspaces', { role_id: role.id }), 'role_archived');
  expect(await alice.see(id)).toEqual(before);
  expect(must(200, await alice.post(`/v1/agent-roles/${role.id}/unarchive`))).toMatchObject({ status: 'unarchived' });
  expectRefusal(await alice.post(`/v1/agent-roles/${role.id}/unarchive`), 'not_archived');
  await alice.resume(id);
});

promise('an archived provider takes its roles along, and bars what they would bring up', async () => {
  const { alice } = await stack.tenant();
  const provider = await alice.provider();
  const role = await alice.role({ provider_id: provider.id });
  const { id } = await alice.workspace({ role_id: role.id });
  await alice.stop(id);
  const archived = must(200, await alice.post(`/v1/providers/${provider.id}/archive`));
  expect(archived).toEqual({ status: 'archived', cascaded_roles: 1 });
  expect(must(200, await alice.get(`/v1/agent-roles/${role.id}`)).archived_at).not.toBeNull();
  expectRefusal(await alice.post(`/v1/workspaces/${id}/resume`), 'role_archived');
  expectRefusal(await alice.post('/v1/agent-roles', { name: 'late', command: ['sh'], provider_id: provider.id }), 'provider_archived');

  // A role comes back after its provider.
  expectRefusal(await alice.post(`/v1/agent-roles/${role.id}/unarchive`), 'provider_archived');
  must(200, await alice.post(`/v1/providers/${provider.id}/unarchive`));
  expectRefusal(await alice.post(`/v1/workspaces/${id}/resume`), 'role_archived');
  must(200, await alice.post(`/v1/agent-roles/${role.id}/unarchive`));
  await alice.resume(id);
});

promise('a provider is archived once no workspace of its roles runs', async () => {
  const { alice } = await stack.tenant();
  const provider = await alice.provider();
  const { id } = await alice.workspace({ role_id: (await alice.role({ provider_id: provider.id })).id });
  expectRefusal(await alice.post(`/v1/providers/${provider.id}/archive`), 'workspaces_active', { workspaces: 1 });
  expect(await alice.run(id, 'echo on')).toMatchObject({ status: 'completed' });
  expect(must(200, await alice.get(`/v1/providers/${provider.id}`)).archived_at).toBeNull();
  await alice.reach(id, 'idle');
  await alice.stop(id);
  expect(must(200, await alice.post(`/v1/providers/${provider.id}/archive`))).toEqual({ status: 'archived', cascaded_roles: 1 });
});

promise('a name is taken once in an organization, and by as many organizations as like it', async () => {
  const [{ alice: here }, { alice: there }] = [await stack.tenant(), await stack.tenant()];
  const provider = { name: 'same-name', kind: 'none' };
  must(201, await here.post('/v1/providers', provider));
  expectRefusal(await here.post('/v1/providers', provider), 'name_taken');
  must(201, await there.post('/v1/providers', provider));
});
