import { createHash, randomUUID } from 'node:crypto';
import { type OperationView, PodReady, type PodStepChanged, QUEUE, RestartWorkspace, type RoleView } from '@reprise/contracts';
import type { Fact } from '../src/commands/command';
import { OperationsRepository } from '../src/operations/operations.repository';
import { OperationsService } from '../src/operations/operations.service';
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
function step(operation: Restart, name: string, status: string): Fact<PodStepChanged> {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, seconds++)).toISOString();
  return fact(operation, { step: name, status, attempt: 1, at }) as unknown as Fact<PodStepChanged>;
}
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
  await Promise.all(facts.map((each) => world.part(OperationsService).stepChanged(each)));
  expect(await timeline(operation)).toEqual(SAVED);
  expect(await written(facts)).toEqual({ facts: 6, transactions: 1 });
});

it('one of them that was applied before holds up none of the others', async () => {
  const operation = await restart();
  const facts = steps(operation);
  const service = world.part(OperationsService);
  await service.stepChanged(facts[0]!);
  await Promise.all(facts.map((each) => service.stepChanged(each)));
  expect(await timeline(operation)).toEqual(SAVED);
  expect(await written(facts)).toEqual({ facts: 6, transactions: 6 });
});

it('one of them that cannot be applied fails alone', async () => {
  const operation = await restart();
  const facts = steps(operation);
  const broken = { ...facts[3]!, id: null as unknown as string };
  const service = world.part(OperationsService);
  const ends = await Promise.allSettled([...facts.slice(0, 3), broken, ...facts.slice(4)].map((each) => service.stepChanged(each)));
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(await timeline(operation)).toEqual(['quiesce succeeded', 'snapshot running', 'verify succeeded']);
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
    await world.part(OperationsService).stepChanged(step(operation, 'quiesce', 'started'));
    expect(other.times()).toBe(1);
    expect([await timeline(operation), await resends(operation)]).toEqual([['quiesce running'], 1]);
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
