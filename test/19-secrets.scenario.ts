import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { eventually, expectRefusal, must, promise, SERVICES, unique, useStack } from './support';

const stack = useStack();
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const secret = (name: string) => `${name}-${randomBytes(16).toString('hex')}`;
const PRINT = 'printf %s "$API_KEY" | sha256sum; printf %s "${OTHER-none}" | sha256sum';

promise('the value of a secret reaches the tasks of a role, and stands in clear in no message, table, log or answer', async () => {
  const { alice, org } = await stack.tenant().then((tenant) => ({ alice: tenant.alice, org: tenant.org }));
  const wire = await tap();
  const [first, second, other] = [secret('first'), secret('second'), secret('other')];
  const role = await alice.role({ env: { API_KEY: 'of no use' }, secret_env: { API_KEY: first, OTHER: other } });
  const answers: unknown[] = [role];
  const { id } = await alice.workspace({ role_id: role.id });
  const printed = async () => (await alice.run(id, PRINT)).output?.split('\n').map((line) => line.slice(0, 64));
  expect(await printed()).toEqual([digest(first), digest(other), '']);

  // One is set anew, one is removed; a pod has them from its next start on.
  await alice.reach(id, 'idle');
  const changed = must(200, await alice.patch(`/v1/agent-roles/${role.id}`, { secret_env: { API_KEY: second, OTHER: null } }));
  answers.push(changed);
  expect([role.secret_env, changed.secret_env]).toEqual([['API_KEY', 'OTHER'], ['API_KEY']]);
  await alice.restart(id);
  expect(await printed()).toEqual([digest(second), digest('none'), '']);
  await alice.reach(id, 'idle');
  must(200, await alice.patch(`/v1/agent-roles/${role.id}`, { display_name: 'another name' }));
  await alice.stop(id);
  await alice.resume(id);
  expect(await printed()).toEqual([digest(second), digest('none'), '']);

  for (const path of ['agent-roles', `agent-roles/${role.id}`, 'workspaces', `workspaces/${id}`, `workspaces/${id}/tasks`])
    answers.push(must(200, await alice.get(`/v1/${path}`)));

  // A command of the role that cannot be handled becomes a dead letter.
  const [create] = wire.bodies('reprise.role.create.v1');
  const gateway = await stack.brokerUser('gateway');
  await gateway.publish({ type: 'reprise.role.create.v1', org, data: { ...(create as object), name: 7 }, id: randomUUID() });
  const letters = await eventually(async () => {
    const all = await stack.ground.deadLetters();
    expect(all).not.toEqual([]);
    return all;
  });
  answers.push(letters);

  const logs = SERVICES.map((name) => stack.service(name).log()).join('\n');
  for (const value of [first, second, other]) {
    for (const form of [value, Buffer.from(value).toString('hex'), Buffer.from(value).toString('base64').replace(/=+$/, '')]) {
      expect(wire.text()).not.toContain(form);
      expect(logs).not.toContain(form);
      expect(JSON.stringify(answers)).not.toContain(form);
      expect(await tablesWith(form)).toEqual([]);
    }
  }
  expect(wire.bodies('reprise.pod.replace.v1')).not.toEqual([]);
  expect(await tablesWith(role.id)).toEqual(expect.arrayContaining(['lifecycle.roles', 'provisioner.jobs']));
  await wire.close();
});

promise('values of a role and of a provider are read by whoever may change them, and masked for all others', async () => {
  const tenant = await stack.tenant();
  const { alice } = tenant;
  const config = { model: 'claude', nested: { key: 'k' } };
  const provider = must(201, await alice.post('/v1/providers', { name: unique('provider'), kind: 'anthropic', config }));
  const role = await alice.role({ provider_id: provider.id, env: { LANG: 'C' }, secret_env: { API_KEY: secret('x') } });
  const reader = tenant.as('bob', ['workspace:read', 'workspace:write', 'tasks:write']);
  expect(must(200, await reader.get(`/v1/agent-roles/${role.id}`))).toMatchObject({ env: { LANG: '***' }, secret_env: ['API_KEY'] });
  expect(must(200, await reader.get(`/v1/providers/${provider.id}`)).config).toEqual({ model: '***', nested: '***' });
  expect(must(200, await alice.get(`/v1/agent-roles/${role.id}`))).toMatchObject({ env: { LANG: 'C' }, secret_env: ['API_KEY'] });
  expect(must(200, await alice.get(`/v1/providers/${provider.id}`)).config).toEqual(config);
  for (const path of ['agent-roles', 'providers'])
    expect(JSON.stringify(must(200, await reader.get(`/v1/${path}`)))).not.toMatch(/claude|"C"/);
});

promise('a request with another secret under the same idempotency key is another request', async () => {
  const { alice } = await stack.tenant();
  const provider_id = (await alice.provider()).id;
  const headers = { 'idempotency-key': unique('key') };
  const create = (value: string) =>
    alice.post('/v1/agent-roles', { name: 'keyed', command: ['sh'], provider_id, secret_env: { API_KEY: value } }, { headers });
  const first = must(201, await create('one'));
  expect(must(201, await create('one'))).toEqual(first);
  expectRefusal(await create('two'), 'idempotency_key_reused');
});

/** Every command and event from now on, as it is on the wire. */
async function tap() {
  const connection = await connect(stack.ground.adminBrokerUrl);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  const seen: { type: string; body: string }[] = [];
  const bodies: { type: string; data: unknown }[] = [];
  for (const exchange of ['reprise.commands', 'reprise.events']) await channel.bindQueue(queue, exchange, '#');
  await channel.consume(
    queue,
    (message) => {
      if (!message) return;
      seen.push({ type: message.properties.type as string, body: JSON.stringify(message.properties) + message.content.toString() });
      bodies.push({ type: message.properties.type as string, data: JSON.parse(message.content.toString()) as unknown });
    },
    { noAck: true },
  );
  return {
    text: () => seen.map(({ body }) => body).join('\n'),
    bodies: (type: string) => bodies.filter((each) => each.type === type).map(({ data }) => data),
    close: () => connection.close(),
  };
}

/** The tables with this text in any row of theirs. */
async function tablesWith(text: string): Promise<string[]> {
  const tables = await stack.ground.sql<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
      WHERE table_schema IN ('lifecycle', 'provisioner', 'billing', 'deadletters') AND table_type = 'BASE TABLE'`,
  );
  const found = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await stack.ground.sql(`SELECT 1 FROM ${name} t WHERE position($1 in t::text) > 0 LIMIT 1`, [text]);
      return rows.length > 0 ? [name] : [];
    }),
  );
  return found.flat();
}
