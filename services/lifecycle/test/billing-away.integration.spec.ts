import { RestartWorkspace, StopWorkspace, type WorkspaceView } from '@reprise/contracts';
import { HEADER } from '@reprise/messaging';
import { waitFor } from '../../../libs/messaging/test/support';
import { Billing } from '../src/posture/billing';
import { ORG, World } from './support/world';

const RETRIED = 'lifecycle.commands.retry.';
let world: World;

beforeAll(async () => {
  world = await World.create();
  await world.setPosture(ORG, 'active');
}, 180_000);
afterAll(() => world?.close());

it('commands that need billing wait while it is away, hold up no other, and are applied when it is back', async () => {
  const role = await world.role('waiting');
  const [workspace, other] = [await world.idleWorkspace(role), await world.idleWorkspace(role)];
  await world.stopBilling();
  const ids = [await world.tell(RestartWorkspace, { workspace_id: workspace.id })];
  // More than are in hand at once.
  for (let i = 0; i < 80; i++) ids.push(await world.tell(RestartWorkspace, { workspace_id: `ws_${'0'.repeat(26)}` }));
  await expect(waitFor(() => readiness(), 'lifecycle to miss billing')).resolves.toMatch(/No answer|No queue/);
  await world.tell(StopWorkspace, { workspace_id: other.id });
  await waitFor(async () => (await statusOf(other)) === 'stopping', 'the stop');

  // None has an attempt behind it, however often it came back.
  await waitFor(async () => (await world.broker.count(`${RETRIED}5s`)) >= ids.length - 1, 'the wait');
  await waitFor(async () => (await world.broker.count(`${RETRIED}5s`)) < ids.length - 1, 'its end');
  const aside = await world.broker.take(`${RETRIED}5s`);
  expect(aside.properties.headers).toMatchObject({ [HEADER.attempts]: 0, [HEADER.userId]: world.service.user });
  for (const queue of [`${RETRIED}30s`, `${RETRIED}5m`]) expect(await world.broker.count(queue)).toBe(0);
  expect(await world.deadLetters()).toBe(0);
  await waitFor(async () => (await statusOf(workspace)) === 'idle', 'the workspace that nothing has changed');

  await world.startBilling();
  if (aside.properties.messageId === ids[0]) await world.tell(RestartWorkspace, { workspace_id: workspace.id });
  await waitFor(async () => (await statusOf(workspace)) === 'stopping', 'the restart');
  await waitFor(async () => (await readiness()) === undefined, 'lifecycle to be ready');
  expect(await world.deadLetters()).toBe(0);
}, 180_000);

/** Undefined where a busy lifecycle does not answer in time. */
function statusOf({ id }: WorkspaceView): Promise<string | undefined> {
  return world.get(id).then(
    ({ status }) => status,
    () => undefined,
  );
}

/** Why lifecycle is not ready. */
function readiness(): Promise<string | undefined> {
  return world
    .part(Billing)
    .check()
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
}
