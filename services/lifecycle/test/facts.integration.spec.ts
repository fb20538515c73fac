import { createHash, randomUUID } from 'node:crypto';
import { type OperationView, PodReady, type PodStepChanged, QUEUE, RestartWorkspace, type RoleView } from '@reprise/contracts';
import type { Fact } from '../src/commands/command';
import { OperationsRepository } from '../src/operations/operations.repository';
import { OperationsService } from '../src/operations/operations.service';
import { StepsService } from '../src/operations/steps.service';
import { WorkspacesRepository } from '../src/workspaces/workspaces.repository';
import { World } from './support/world';

let world: World;
let role: RoleView;

beforeAll(async () => {
  world = await World.create();
  await world.setPosture('acme', 'active');
  role = await world.role('coder');
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => world?.close());

type Restart = Pick<OperationView, 'id' | 'workspace_id' | 'generation'>;

async function restart(): Promise<Restart> {
  const { id } = await world.idleWorkspace(role);
  const accepted = await world.done<{ operation_id: string }>(RestartWorkspace, { workspace_id: id });
  return world.operation(accepted.operation_id);
}

let seconds = 0;
function fact<T extends object>({ id, workspace_id, generation }: Restart, data: T): Fact<T & Restart & { operation_id: string }> {
  const whole = { operation_id: id, workspace_id, generation, ...data };
  const hash = createHash('sha256').update(JSON.stringify(whole)).digest();
  return { id: randomUUID(), consumer: QUEUE.lifecycleEvents, hash, traceparent: undefined, data: whole as never };
}
function step(operation: Restart, name: string, status: string, more: object = {}): Fact<PodStepChanged> {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, seconds++)).toISOString();
  return fact(operation, { step: name, status, attempt: 1, at, ...more }) as unknown as Fact<PodStepChanged>;
}
/** As the provisioner tells it: the end of a step with the beginning of the next. */
const stepEnds = (operation: Restart, name: string, next: string): Fact<PodStepChanged> =>
  step(operation, name, 'succeeded', { next: { step: next, attempt: 1 } });
const steps = (operation: Restart): Fact<PodStepChanged>[] =>
  ['quiesce', 'snapshot', 'verify'].flatMap((name) => [step(operation, name, 'started'), step(operation, name, 'succeeded')]);

/** In how many transactions these facts were written down, and how many of them. */
async function written(facts: readonly Fact<unknown>[]): Promise<{ facts: number; transactions: number }> {
  const [row] = await world.database.query<{ facts: number; transactions: number }[]>(
    `SELECT count(*)::int AS facts, count(DISTINCT xmin::text)::int AS transactions FROM inbox WHERE message_id = ANY ($1::text[])`,
    [facts.map(({ id }) => id)],
  );
  return row!;
}
const timeline = async ({ id }: Restart) => (await world.operation(id)).phases.map(({ name, status }) => `${name} ${status}`);
const SAVED = ['quiesce succeeded', 'snapshot succeeded', 'verify succeeded'];

it('steps that are told together are written in one transaction', async () => {
  const operation = await restart();
  const facts = steps(operation);
  await Promise.all(facts.map((each) => world.part(StepsService).changed(each)));
  expect(await timeline(operation)).toEqual(SAVED);
  expect(await written(facts)).toEqual({ facts: 6, transactions: 1 });
});

it('one of them that was applied before holds up none of the others', async () => {
  const operation = await restart();
  const facts = steps(operation);
  const service = world.part(StepsService);
  await service.changed(facts[0]!);
  await Promise.all(facts.map((each) => service.changed(each)));
  expect(await timeline(operation)).toEqual(SAVED);
  expect(await written(facts)).toEqual({ facts: 6, transactions: 6 });
});

it('one of them that cannot be applied fails alone', async () => {
  const operation = await restart();
  const facts = steps(operation);
  const broken = { ...facts[3]!, id: null as unknown as string };
  const service = world.part(StepsService);
  const ends = await Promise.allSettled([...facts.slice(0, 3), broken, ...facts.slice(4)].map((each) => service.changed(each)));
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(await timeline(operation)).toEqual(['quiesce succeeded', 'snapshot running', 'verify succeeded']);
});

const statusOf = async ({ workspace_id: id }: Restart) => (await world.get(id)).status;

it('most steps are applied without a look at the workspace', async () => {
  const operation = await restart();
  const looks = jest.spyOn(world.part(WorkspacesRepository), 'load');
  await world.part(StepsService).changed(stepEnds(operation, 'snapshot', 'verify'));
  expect(looks).not.toHaveBeenCalled();
  await world.part(StepsService).changed(stepEnds(operation, 'teardown', 'create'));
  expect(looks).toHaveBeenCalledTimes(1);
});

it('together with them what reaches the workspace', async () => {
  const operation = await restart();
  const facts = [
    stepEnds(operation, 'verify', 'teardown'),
    stepEnds(operation, 'teardown', 'create'),
    stepEnds(operation, 'create', 'restore'),
  ];
  await Promise.all(facts.map((each) => world.part(StepsService).changed(each)));
  expect(await timeline(operation)).toEqual(['verify succeeded', 'teardown succeeded', 'create succeeded', 'restore running']);
  expect(await statusOf(operation)).toBe('provisioning');
  expect(await written(facts)).toEqual({ facts: 3, transactions: 1 });
});

it('a create that is told to begin by itself, as one after a pause is, makes the workspace provisioning, too', async () => {
  const operation = await restart();
  await world.part(StepsService).changed(step(operation, 'create', 'started'));
  expect([await timeline(operation), await statusOf(operation)]).toEqual([['create running'], 'provisioning']);
});

it('a step that comes after the end of its operation brings no status back, and none is left that seems to run', async () => {
  const operation = await restart();
  const ready = fact(operation, { role_version: role.version, snapshot_id: null }) as unknown as Fact<PodReady>;
  await world.part(OperationsService).podReady(ready);
  await world.part(StepsService).changed(stepEnds(operation, 'teardown', 'create'));
  expect([await statusOf(operation), await timeline(operation)]).toEqual(['idle', ['teardown succeeded']]);
});

it.each([
  ['that moves the timeline', (of: Restart) => stepEnds(of, 'snapshot', 'verify')],
  ['that reaches the workspace', (of: Restart) => stepEnds(of, 'teardown', 'create')],
])('a step %s, of an operation of another workspace, changes nothing', async (_what, stepOf) => {
  const [operation, other] = [await restart(), await restart()];
  const stray = stepOf({ ...operation, workspace_id: other.workspace_id });
  await world.part(StepsService).changed(stray);
  expect([await timeline(operation), await timeline(other), await statusOf(other)]).toEqual([[], [], 'stopping']);
  expect(await written([stray])).toEqual({ facts: 0, transactions: 0 });
});

describe('someone who writes the operation between the look at it and the write', () => {
  /** Counts a resend, as the watchdog does, right after the operation was read without a lock. */
  const interfere = (): { times: () => number } => {
    const repository = world.part(OperationsRepository);
    const load = repository.load.bind(repository);
    let times = 0;
    jest.spyOn(repository, 'load').mockImplementation(async (manager, id, loading) => {
      const operation = await load(manager, id, loading);
      if (!loading.locked) {
        times += 1;
        await world.database.query(`UPDATE operations SET resends = resends + 1 WHERE id = $1`, [id]);
      }
      return operation;
    });
    return { times: () => times };
  };
  const resends = async ({ id }: Restart) =>
    (await world.database.query<{ resends: number }[]>(`SELECT resends FROM operations WHERE id = $1`, [id]))[0]?.resends;

  it('takes no step away, and is not undone', async () => {
    const operation = await restart();
    const other = interfere();
    await world.part(StepsService).changed(step(operation, 'quiesce', 'started'));
    expect(other.times()).toBe(1);
    expect([await timeline(operation), await resends(operation)]).toEqual([['quiesce running'], 1]);
  });

  it('nor a status, which is told once', async () => {
    const operation = await restart();
    const other = interfere();
    await world.part(StepsService).changed(stepEnds(operation, 'teardown', 'create'));
    expect(other.times()).toBe(1);
    expect([await statusOf(operation), await timeline(operation), await resends(operation)]).toEqual([
      'provisioning',
      ['teardown succeeded', 'create running'],
      1,
    ]);
  });

  it('nor the end, which is told once', async () => {
    const operation = await restart();
    const other = interfere();
    const ready = fact(operation, { role_version: role.version, snapshot_id: null }) as unknown as Fact<PodReady>;
    await world.part(OperationsService).podReady(ready);
    await world.part(OperationsService).podReady(ready);
    expect(other.times()).toBeGreaterThanOrEqual(1);
    expect(await world.operation(operation.id)).toMatchObject({ status: 'succeeded' });
    expect(await resends(operation)).toBeGreaterThanOrEqual(1);
    const told = await world.database.query<object[]>(`SELECT FROM inbox WHERE message_id = $1`, [ready.id]);
    expect(told).toHaveLength(1);
  });
});
