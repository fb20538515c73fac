import {
  ChangeRole,
  CommandRefused,
  CreateProvider,
  CreateRole,
  CreateWorkspace,
  GetRole,
  type MessageClass,
  ResumeWorkspace,
  RestartWorkspace,
  type RoleView,
  StopWorkspace,
} from '@reprise/contracts';
import { World } from './support/world';

let world: World;
let role: RoleView;

beforeAll(async () => {
  world = await World.create({ roleMaxCpus: 2, roleMaxMemoryMb: 1_024, roleImagePrefixes: ['registry.example/agents/'] });
  await world.setPosture('acme', 'active');
  role = await world.role('coder');
});

afterAll(() => world?.close());

const tooMuch = { cpus: 3, memory_mb: 2_048, image: 'debian' };
const FIELDS = ['runtime.cpus', 'runtime.image', 'runtime.memory_mb'];

async function refusedFields(message: MessageClass, data: object): Promise<string[]> {
  const reply = await world.ask(message, data);
  expect(reply).toMatchObject({ status: 'refused', refusal: { code: 'validation_error' } });
  return Object.keys((reply as unknown as { refusal: { details: { fields: object } } }).refusal.details.fields).sort();
}

it('a role that asks for more than the installation allows is neither made nor changed, and all of it is named', async () => {
  const fields = { name: 'greedy', provider_id: role.provider_id, command: ['cat'], runtime: tooMuch };
  expect(await refusedFields(CreateRole, fields)).toEqual(FIELDS);
  expect(await refusedFields(ChangeRole, { role_id: role.id, runtime: tooMuch })).toEqual(FIELDS);
  expect(await world.done(GetRole, { role_id: role.id })).toEqual(role);
  const allowed = { cpus: 2, memory_mb: 1_024, image: 'registry.example/agents/coder:1' };
  expect(await world.done(CreateRole, { ...fields, name: 'modest', runtime: allowed })).toMatchObject({ runtime: allowed });
});

it('an internal service is refused the same', async () => {
  await world.tell(CreateRole, { name: 'told', provider_id: role.provider_id, command: ['cat'], runtime: tooMuch });
  const { data } = await world.nextEvent(CommandRefused);
  expect(data).toMatchObject({ code: 'validation_error', details: { fields: { 'runtime.cpus': expect.any(String) } } });
});

it.each([
  ['command', { command: ['sh', ...Array.from({ length: 60 }, () => 'x'.repeat(4_000))] }],
  ['env', { command: ['cat'], env: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`A${at}`, 'x'.repeat(30_000)])) }],
])('a role whose %s no program can be started with is not made', async (field, fields) => {
  const asked = world.ask(CreateRole, { name: 'never', provider_id: role.provider_id, ...fields });
  await expect(asked).rejects.toMatchObject({
    reason: 'invalid',
    message: expect.stringContaining(`${field} must have at most 131008 bytes`),
  });
});

it.each([
  ['131,072 bytes', { text: 'x'.repeat(131_072) }, 'config must have at most 131008 bytes'],
  ['6,000 values', { list: Array(6_000).fill(1) }, 'config must have at most 5000 values'],
  ['33 levels', JSON.parse(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`), 'config must have at most 5000 values and be nested at most 32'],
])('a provider whose config has %s is not made: no pod could be', async (_, config, message) => {
  const asked = world.ask(CreateProvider, { name: 'never', kind: 'none', config });
  await expect(asked).rejects.toMatchObject({ reason: 'invalid', message: expect.stringContaining(message) });
});

it('a role that was stored before a limit was lowered makes no pod, and nothing is saved or torn down for it', async () => {
  const running = await world.idleWorkspace(role);
  await world.database.query(
    `UPDATE roles SET runtime = '{"cpus": 64}', env = jsonb_build_object('A', repeat('x', 200000)) WHERE id = $1`,
    [role.id],
  );
  const before = await world.countToProvisioner();
  const fields = ['env', 'runtime.cpus'];
  expect(await refusedFields(CreateWorkspace, { role_id: role.id })).toEqual(fields);
  expect(await refusedFields(RestartWorkspace, { workspace_id: running.id })).toEqual(fields);
  expect(await world.get(running.id)).toEqual(running);
  expect(await world.countToProvisioner()).toBe(before);

  await world.done(StopWorkspace, { workspace_id: running.id });
  await world.database.query(`UPDATE workspaces SET status = 'stopped' WHERE id = $1`, [running.id]);
  expect(await refusedFields(ResumeWorkspace, { workspace_id: running.id })).toEqual(fields);
  await world.done(ChangeRole, { role_id: role.id, runtime: {}, env: {} });
  expect(await world.done(ResumeWorkspace, { workspace_id: running.id })).toMatchObject({ status: 'resuming' });
});
