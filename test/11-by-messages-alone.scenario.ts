import { randomUUID } from 'node:crypto';
import { newId } from '@reprise/contracts';
import { eventually, fill, promise, treeOf, useStack } from './support';

const stack = useStack();
const RESTART = 'reprise.workspace.restart.v1';
const ACCEPTED = 'reprise.command.accepted.v1';
const REFUSED = 'reprise.command.refused.v1';
const SUCCEEDED = 'reprise.operation.succeeded.v1';
const FAILED = 'reprise.operation.failed.v1';

promise('an internal service restarts a workspace by a message, and learns that it was accepted and how it ended', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  fill(stack.pod(id).files, { megabytes: 1 });
  const tree = treeOf(stack.pod(id).files);
  const correlationId = randomUUID();
  const command = await stack.publisher.publish({
    type: RESTART,
    org,
    subject: id,
    correlationId,
    actor: 'janitor',
    data: { workspace_id: id },
  });

  const accepted = await stack.publisher.event(ACCEPTED, correlationId);
  expect(accepted.data).toEqual({
    command_id: command,
    command_type: RESTART,
    answer: { status: 'restarting', operation_id: expect.stringMatching(/^op_/) },
  });
  const succeeded = await stack.publisher.event(SUCCEEDED, correlationId);
  expect(succeeded.data).toMatchObject({
    operation_id: accepted.data.answer.operation_id,
    workspace_id: id,
    kind: 'restart',
    generation: 2,
    snapshot_id: expect.stringMatching(/^snap_/),
  });
  for (const { headers } of [accepted, succeeded]) {
    expect(headers).toMatchObject({ cloudEvents_specversion: '1.0', cloudEvents_orgid: org, cloudEvents_subject: id });
  }
  expect(await alice.operation(succeeded.data.operation_id)).toMatchObject({
    status: 'succeeded',
    requested_by: 'service:reprise_publisher/janitor',
  });
  expect(treeOf(stack.pod(id).files)).toEqual(tree);
});

promise('the message id is the correlation id where the publisher gives none', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  const command = await stack.publisher.publish({ type: 'reprise.workspace.stop.v1', org, data: { workspace_id: id } });
  expect((await stack.publisher.event(SUCCEEDED, command)).data).toMatchObject({ kind: 'stop' });
  expect(await alice.see(id)).toMatchObject({ status: 'stopped' });
});

promise('a refused command is told with its code and details, and changes nothing', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  const task = await alice.running(id, 'sleep 600');
  const before = await alice.see(id);
  const command = await stack.publisher.publish({ type: RESTART, org, data: { workspace_id: id } });
  expect((await stack.publisher.event(REFUSED, command)).data).toMatchObject({
    command_id: command,
    command_type: RESTART,
    code: 'workspace_busy',
    message: expect.any(String),
    details: { task_id: task },
  });
  expect(await alice.see(id)).toEqual(before);
  expect(stack.publisher.events.filter(({ correlationId, type }) => correlationId === command && type === FAILED)).toEqual([]);
});

promise("another tenant's workspace does not exist in messages either", async () => {
  const [{ alice }, { org }] = [await stack.tenant(), await stack.tenant()];
  const { id } = await alice.workspace();
  const [foreign, missing] = [
    await stack.publisher.publish({ type: RESTART, org, data: { workspace_id: id } }),
    await stack.publisher.publish({ type: RESTART, org, data: { workspace_id: newId('workspace') } }),
  ];
  const refusals = await Promise.all([foreign, missing].map((command) => stack.publisher.event(REFUSED, command)));
  const [{ code, message, details }] = [refusals[0]!.data];
  expect({ code, message, details }).toMatchObject({ code: 'workspace_not_found' });
  expect(refusals[1]!.data).toMatchObject({ code, message });
  expect(await alice.see(id)).toMatchObject({ status: 'idle', generation: 1 });
});

promise('a command that nobody can handle is told to be dead, to whoever waits for a reply and by an event', async () => {
  const { org } = await stack.tenant();
  const bad = { type: RESTART, org, data: { workspace_id: 'none' } };
  const command = await stack.publisher.publish(bad);
  const dead = await stack.publisher.event('reprise.command.dead.v1', command);
  expect(dead.data).toEqual({
    command_id: command,
    command_type: RESTART,
    dead_letter_id: expect.stringMatching(/^dl_/),
    reason: 'invalid',
    message: expect.stringContaining('workspace_id must be a workspace id'),
  });
  expect(dead.headers).toMatchObject({ cloudEvents_orgid: org });
  expect(await stack.publisher.ask(bad)).toMatchObject({
    status: 'failed',
    reason: 'invalid',
    message: expect.stringContaining('workspace_id'),
  });
});

promise('an internal service asks how workspaces, operations and tasks of a tenant stand', async () => {
  const [{ alice, org }, stranger] = [await stack.tenant(), await stack.tenant()];
  const { id } = await alice.workspace();
  const { id: task } = await alice.run(id, 'echo said');
  await alice.reach(id, 'idle');
  const ask = (type: string, data: object, of = org) =>
    stack.publisher.ask({ type: `reprise.${type}.v1`, org: of, data, exchange: 'reprise.queries' });
  expect(await ask('workspace.get', { workspace_id: id })).toEqual({ status: 'done', value: await alice.see(id) });
  const listed = await ask('workspace.list', { include_archived: false, limit: 10 });
  expect(listed).toMatchObject({ status: 'done', value: { workspaces: [{ id }] } });
  expect(await ask('task.get', { workspace_id: id, task_id: task })).toMatchObject({ value: { status: 'completed', output: 'said\n' } });
  expect(await ask('task.list', { workspace_id: id, limit: 10 })).toMatchObject({ value: { tasks: [{ id: task }] } });
  const restart = await stack.publisher.ask({ type: RESTART, org, data: { workspace_id: id } });
  const operation_id = restart.value.operation_id as string;
  expect(await ask('operation.get', { operation_id })).toMatchObject({ value: { id: operation_id, kind: 'restart' } });
  // Its own tenant's alone, and nothing but these.
  expect(await ask('workspace.get', { workspace_id: id }, stranger.org)).toMatchObject({
    status: 'refused',
    refusal: { code: 'workspace_not_found' },
  });
  expect(await ask('role.list', { include_archived: false, limit: 10 })).toMatchObject({ status: 'failed', reason: 'forbidden' });
  await alice.reach(id, 'idle');
});

promise('a tenant that is past due is refused by messages as well, and may wind down by them', async () => {
  const tenant = await stack.tenant();
  const { alice, org } = tenant;
  const { id } = await alice.workspace();
  await tenant.posture('past_due');
  const restart = await stack.publisher.publish({ type: RESTART, org, data: { workspace_id: id } });
  expect((await stack.publisher.event(REFUSED, restart)).data).toMatchObject({
    code: 'billing_inactive',
    details: { posture: 'past_due' },
  });
  const stop = await stack.publisher.publish({ type: 'reprise.workspace.stop.v1', org, data: { workspace_id: id } });
  await stack.publisher.event(SUCCEEDED, stop);
});

promise('a whole life by messages: create, task, stop, archive', async () => {
  const { alice, org } = await stack.tenant();
  const role = await alice.role();
  const answerTo = async (type: string, data: object) => {
    const command = await stack.publisher.publish({ type: `reprise.${type}.v1`, org, data });
    return { command, answer: (await stack.publisher.event(ACCEPTED, command)).data.answer };
  };
  const made = await answerTo('workspace.create', { role_name: role.name, environment: 'nightly' });
  const workspace_id = made.answer.id as string;
  await stack.publisher.event(SUCCEEDED, made.command);
  const submitted = await answerTo('task.submit', { workspace_id, description: 'echo by message' });
  const ended = await stack.publisher.event('reprise.task.ended.v1', submitted.command);
  expect(ended.data).toMatchObject({ task_id: submitted.answer.task_id, status: 'completed', output_tail: 'by message\n' });
  await alice.reach(workspace_id, 'idle');
  await stack.publisher.event(SUCCEEDED, (await answerTo('workspace.stop', { workspace_id })).command);
  expect((await answerTo('workspace.archive', { workspace_id })).answer).toEqual({ status: 'archived' });
});

promise('commands that come while lifecycle is down are carried out when it is back', async () => {
  const { alice, org } = await stack.tenant();
  const { id } = await alice.workspace();
  await stack.service('lifecycle').kill();
  const command = await stack.publisher.publish({ type: RESTART, org, data: { workspace_id: id } });
  await stack.service('lifecycle').start();
  await stack.publisher.event(SUCCEEDED, command, { within: 40_000 });
});

const MALFORMED: [string, object, string][] = [
  ['is not JSON', { data: {}, raw: Buffer.from('{"workspace_id": ') }, 'unparseable'],
  ['is not an object', { data: ['a', 'list'] }, 'invalid'],
  ['names no workspace', { data: {} }, 'invalid'],
  ['names a workspace by the wrong form of id', { data: { workspace_id: 'ws_1' } }, 'invalid'],
  ['has a field of the wrong type', { data: { workspace_id: newId('workspace'), force: 'maybe' } }, 'invalid'],
  ['has an unknown field', { data: { workspace_id: newId('workspace'), forse: true } }, 'invalid'],
  ['names no tenant', { data: { workspace_id: newId('workspace') }, org: undefined }, 'invalid'],
];

describe.each(MALFORMED)('a command that %s', (_, sent, reason) => {
  promise('stands in the dead letters with its reason, and holds up nothing', async () => {
    const { alice, org } = await stack.tenant();
    await stack.ground.deadLetters();
    const id = await stack.publisher.publish({ type: RESTART, org, data: {}, ...sent });
    const letter = await eventually(async () => {
      const found = (await stack.ground.deadLetters()).find((each) => each.id === id);
      expect(found).toBeDefined();
      return found!;
    });
    expect(letter.headers).toMatchObject({
      'x-reprise-dead-reason': reason,
      'x-reprise-exception': expect.stringMatching(/\w/),
      'x-reprise-stack': expect.any(String),
      'x-reprise-source-queue': 'lifecycle.commands',
      'x-reprise-attempts': 1,
      'x-reprise-first-failure': expect.stringMatching(/^\d{4}-/),
      'x-reprise-last-failure': expect.stringMatching(/^\d{4}-/),
    });
    expect(letter.type).toBe(RESTART);
    expect((await alice.get('/v1/workspaces')).status).toBe(200);
  });
});

promise('an internal service may publish no message that is not its own to send', async () => {
  const intruder = await stack.brokerUser('publisher');
  const forged = { type: 'reprise.pod.remove.v1', data: { workspace_id: newId('workspace') } };
  await expect(Promise.race([intruder.publish(forged), intruder.lost])).rejects.toThrow(/ACCESS.REFUSED|403/);
});
