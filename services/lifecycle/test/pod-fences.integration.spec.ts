import {
  OperationFailed,
  PodFenceFound,
  QUEUE,
  ReplacePod,
  RestartWorkspace,
  type RoleView,
  ResumeWorkspace,
  CreatePod,
} from '@reprise/contracts';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../libs/messaging/test/support';
import { World } from './support/world';

let world: World;
let role: RoleView;

beforeAll(async () => {
  world = await World.create();
  await world.setPosture('acme', 'active');
  role = await world.role('coder');
});
afterAll(() => world?.close());

const found = (workspace_id: string, generation: number, id?: string) => world.event(PodFenceFound, { workspace_id, generation }, id);
const becomes = (id: string, generation: number) =>
  waitFor(async () => (await world.get(id)).generation === generation, `generation ${generation}`);
const restarting = async (id: string) =>
  world.operation((await world.done<{ operation_id: string }>(RestartWorkspace, { workspace_id: id })).operation_id);

it('generations go on from the newest pod that was ever made', async () => {
  const { id } = await world.idleWorkspace(role);
  await found(id, 41);
  await becomes(id, 41);
  expect(await world.get(id)).toMatchObject({ status: 'idle', operation: null });
  expect(await restarting(id)).toMatchObject({ generation: 42 });
  expect(await world.toProvisioner<ReplacePod>(ReplacePod)).toMatchObject({ workspace_id: id, pod_generation: 1, generation: 42 });
});

it('a fence that is no higher changes nothing, and neither does the same message again', async () => {
  const { id } = await world.idleWorkspace(role);
  const message = randomUUID();
  await found(id, 7, message);
  await becomes(id, 7);
  await world.podReady(await restarting(id), role);
  await found(id, 7, message);
  await found(id, 3);
  await found(id, 8);
  const other = await world.idleWorkspace(role);
  await found(other.id, 5);
  await becomes(other.id, 5);
  expect(await world.get(id)).toMatchObject({ status: 'idle', generation: 8 });
});

it('an operation in flight is of the past: it fails, and the workspace can be resumed', async () => {
  const { id } = await world.idleWorkspace(role);
  const operation = await restarting(id);
  await found(id, 9);
  expect(await world.ended(operation.id)).toMatchObject({ status: 'failed', error: { code: 'operation_timeout' } });
  await becomes(id, 9);
  expect(await world.get(id)).toMatchObject({ status: 'failed', failure: { operation_id: operation.id } });
  const event = await waitFor(async () => {
    const next = await world.nextEvent(OperationFailed);
    return next.data.operation_id === operation.id ? next : undefined;
  }, 'the event');
  expect(event.data).toMatchObject({ kind: 'restart', generation: 2, pod_kept: false });
  await world.done(ResumeWorkspace, { workspace_id: id });
  expect(await world.toProvisioner<CreatePod>(CreatePod)).toMatchObject({ generation: expect.any(Number) });
  expect(await world.get(id)).toMatchObject({ status: 'provisioning', generation: 10 });
});

it('one that no workspace can have come to is a dead letter', async () => {
  const { id } = await world.idleWorkspace(role);
  await found(id, 2_000_000_000);
  await waitFor(async () => (await world.broker.count(`${QUEUE.lifecycleEvents}.dead`)) === 1, 'the dead letter');
  expect(await world.get(id)).toMatchObject({ generation: 1 });
});
