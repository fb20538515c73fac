import { CreatePod, newId, PodRemoved, ResumeWorkspace, type RoleView, SnapshotAdopted, StopWorkspace } from '@reprise/contracts';
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

const AT = '2026-01-02T03:04:05.000Z';
const adopted = (workspace_id: string, snapshot_id: string) => world.event(SnapshotAdopted, { workspace_id, snapshot_id, taken_at: AT });
async function stopped(): Promise<{ id: string }> {
  const { id } = await world.idleWorkspace(role);
  await world.toProvisioner(CreatePod);
  const { operation_id } = await world.done<{ operation_id: string }>(StopWorkspace, { workspace_id: id });
  const { generation } = await world.operation(operation_id);
  await world.event(PodRemoved, { operation_id, workspace_id: id, generation, snapshot_id: newId('snapshot') });
  await world.ended(operation_id);
  return { id };
}

const row = async (id: string): Promise<{ snapshot_ref: string; saved_at: Date }> =>
  (await world.database.query(`SELECT snapshot_ref, saved_at FROM workspaces WHERE id = $1`, [id]))[0];

it('a snapshot that an operator adopted is the last of a workspace without a pod, and its resume names it', async () => {
  const { id } = await stopped();
  const snapshot = newId('snapshot');
  await adopted(id, snapshot);
  await waitFor(async () => (await row(id)).snapshot_ref === snapshot, 'the snapshot');
  expect((await row(id)).saved_at.toISOString()).toBe(AT);
  await world.done(ResumeWorkspace, { workspace_id: id });
  expect(await world.toProvisioner<CreatePod>(CreatePod)).toMatchObject({ workspace_id: id, snapshot_id: snapshot });
});

it('a workspace that has a pod by now keeps what it has, and one that is not there changes nothing', async () => {
  const { id } = await world.idleWorkspace(role);
  const other = await stopped();
  const before = await row(id);
  await adopted(id, newId('snapshot'));
  await adopted(newId('workspace'), newId('snapshot'));
  const last = newId('snapshot');
  await adopted(other.id, last);
  await waitFor(async () => (await row(other.id)).snapshot_ref === last, 'the last of them');
  expect(await row(id)).toEqual(before);
});
