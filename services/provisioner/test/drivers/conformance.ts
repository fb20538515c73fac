import { isDeepStrictEqual } from 'node:util';
import { AgentClient } from '../../src/pods/agent-client';
import { PodError, type PodDriver, type PodErrorReason, type PodIdentity, type PodSpec } from '../../src/pods/pod-driver';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';
import type { DriverUnderTest, Shown } from './support/driver-under-test';
import { keepsItsPromisesAsThingsGoWrong } from './mishaps.conformance';
import { given } from './support/driver-under-test';
import { salvagesWhatDeadPodsLeft } from './salvage.conformance';
import { keepsItsPromisesInTrouble } from './trouble.conformance';

export type { DriverUnderTest };

const GRACE = { graceSeconds: 10 };
const identityOf = ({ workspaceId, generation }: PodIdentity): PodIdentity => ({ workspaceId, generation });

/** The promises of the port, for any driver: `describe` it, and give the way to make one and what its back end has. */
export function keepsThePromisesOfAPodDriver(setUp: () => Promise<DriverUnderTest>, shown: readonly Shown[] = []): void {
  let host: DriverUnderTest;
  let driver: PodDriver;
  const made: PodIdentity[] = [];
  const create = async (spec: PodSpec, by = driver): Promise<AgentClient> => {
    made.push(identityOf(spec));
    const { address } = await by.create(spec);
    return new AgentClient({ address, credentials: credentialsOf(spec) });
  };
  const refused = (reason: PodErrorReason): object => expect.objectContaining({ reason }) as object;
  const isListed = async (pod: PodIdentity): Promise<boolean> =>
    (await driver.list()).some((it) => it.workspaceId === pod.workspaceId && it.generation === pod.generation);

  beforeAll(async () => {
    host = await setUp();
    driver = host.driver;
  });
  afterEach(async () => {
    for (const pod of made.splice(0)) await driver.remove(pod, { graceSeconds: 0 });
  });

  describe('create', () => {
    it('resolves when the agent answers, starting, and as the pod that was asked for', async () => {
      const spec = newSpec();
      const agent = await create(spec);
      expect(await agent.health()).toEqual({ status: 'starting', ...identityOf(spec), taskId: null });
    });

    it('is told by the fence of its workspace from then on, also once it is gone', async () => {
      const spec = newSpec();
      const fenceOf = async (): Promise<number[]> =>
        (await host.another.fences()).filter(({ workspaceId }) => workspaceId === spec.workspaceId).map(({ generation }) => generation);
      expect(await fenceOf()).toEqual([]);
      await create(spec);
      expect(await fenceOf()).toEqual([1]);
      await driver.remove(spec, { graceSeconds: 5 });
      expect(await fenceOf()).toEqual([1]);
      await create(nextGeneration(spec, 6));
      expect(await fenceOf()).toEqual([7]);
    });

    it('of a pod that lives answers that one', async () => {
      const spec = newSpec();
      const first = await driver.create(spec);
      made.push(identityOf(spec));
      const state = await driver.inspect(spec);
      expect(await driver.create(spec)).toEqual(first);
      expect(await host.another.create(spec)).toEqual(first);
      expect(await driver.inspect(spec)).toEqual(state);
    });

    it('from many sides at once makes one pod', async () => {
      const spec = newSpec();
      made.push(identityOf(spec));
      const handles = await Promise.all(Array.from({ length: 8 }, (_, i) => (i % 2 ? driver : host.another).create(spec)));
      expect(new Set(handles.map(({ address }) => address)).size).toBe(1);
      expect((await driver.list()).filter((it) => it.workspaceId === spec.workspaceId)).toHaveLength(1);
    });

    it('of an older generation than one that lives is refused', async () => {
      const spec = newSpec({ generation: 5 });
      await create(spec);
      await expect(driver.create(nextGeneration(spec, -1))).rejects.toEqual(refused('stale_generation'));
      expect(await driver.inspect({ ...spec, generation: 4 })).toBeNull();
    });

    it('of an older generation than one that was removed long ago is refused', async () => {
      const spec = newSpec({ generation: 5 });
      await create(spec);
      await driver.remove(spec, GRACE);
      await expect(host.another.create(nextGeneration(spec, -1))).rejects.toEqual(refused('stale_generation'));
    });

    it('of a newer generation is refused while an older pod lives, and made once that is removed', async () => {
      const spec = newSpec();
      await create(spec);
      const next = nextGeneration(spec);
      await expect(driver.create(next)).rejects.toEqual(refused('older_pod_alive'));
      await driver.remove(spec, GRACE);
      expect(await (await create(next)).health()).toMatchObject({ generation: 2 });
    });

    it('of two generations at once leaves at most one of them alive', async () => {
      const spec = newSpec();
      const next = nextGeneration(spec);
      made.push(identityOf(spec), identityOf(next));
      await Promise.allSettled([driver.create(spec), host.another.create(next)]);
      const alive = (await driver.list()).filter((it) => it.workspaceId === spec.workspaceId && it.phase !== 'dead');
      // None, where each saw the other's fence and gave way.
      expect(alive.length).toBeLessThanOrEqual(1);
    });

    it('makes an agent anew where one of the same generation crashed', async () => {
      const spec = newSpec();
      const agent = await create(spec);
      await host.crash(spec);
      await until(async () => (await driver.inspect(spec))?.phase === 'dead');
      // Broken, where a connection that was kept breaks before its end is noticed.
      await expect(agent.health()).rejects.toMatchObject({ reason: expect.stringMatching(/^(unreachable|broken)$/), retryable: true });
      expect(await (await create(spec)).health()).toMatchObject({ status: 'starting' });
    });

    it.each<[string, Partial<PodSpec>]>([
      ['a workspace id that climbs', { workspaceId: '../ws_evil' }],
      ['a generation of nothing', { generation: 0 }],
      ['a command that no process takes', { command: ['a\0b'] }],
      ['an environment that is too large', { env: { LARGE: 'x'.repeat(200_000) } }],
    ])('with %s is refused', async (_what, wrong) => {
      await expect(driver.create({ ...newSpec(), ...wrong })).rejects.toEqual(refused('invalid_spec'));
    });

    it('carries every word of the spec to the tasks', async () => {
      const env = { ODD: 'line\nbreak "quoted" $HOME 你好 =', EMPTY: '' };
      const spec = newSpec({ env, environment: 'staging', provider: { kind: 'anthropic', config: { model: 'm "x"' } } });
      const agent = await create(spec);
      await agent.resumeWork();
      await agent.runTask({ taskId: 'task_1', description: 'env -0 | sort -z | tr "\\0" "~"' });
      const history = await until(async () => ((await agent.history()).includes('task.ended') ? agent.history() : null));
      const output = String((JSON.parse(history.trim().split('\n').at(-1)!) as { output: string }).output);
      expect(output).toContain(`~ODD=${env.ODD}~`);
      expect(output).toContain('~REPRISE_ENVIRONMENT=staging~');
      expect(output).toContain('~REPRISE_PROVIDER_KIND=anthropic~');
      expect(output).toContain('~REPRISE_PROVIDER_CONFIG={"model":"m \\"x\\""}~');
      expect(output).not.toContain(spec.token);
    });
  });

  keepsItsPromisesAsThingsGoWrong(() => host, create, shown);

  describe('remove', () => {
    it('leaves nothing: no process, no state, nothing listed', async () => {
      const spec = newSpec();
      const agent = await create(spec);
      expect(await host.hasProcesses(spec)).toBe(true);
      await driver.remove(spec, GRACE);
      expect(await host.hasProcesses(spec)).toBe(false);
      expect(await driver.inspect(spec)).toBeNull();
      expect(await isListed(spec)).toBe(false);
      // Where a pod's network went with it, a router of the world may answer at its address.
      await expect(agent.health()).rejects.toMatchObject({ reason: expect.stringMatching(/^(unreachable|bad_answer)$/) as string });
    });

    it('of what does not exist succeeds, and again', async () => {
      await driver.remove(newSpec(), GRACE);
      const spec = newSpec();
      await create(spec);
      await Promise.all([driver.remove(spec, GRACE), host.another.remove(spec, GRACE)]);
      await driver.remove(spec, GRACE);
      expect(await driver.inspect(spec)).toBeNull();
    });

    it('ends a task, and all that tasks left behind, although none of it heeds SIGTERM', async () => {
      const spec = newSpec();
      const agent = await create(spec);
      await agent.resumeWork();
      const stubborn = 'trap "" TERM HUP; while :; do sleep 1; done';
      await agent.runTask({
        taskId: 'task_1',
        description: `(${stubborn}) & setsid sh -c '${stubborn}' & setsid env -i sh -c '${stubborn}' & echo; ${stubborn}`,
      });
      await until(async () => (await agent.health()).taskId === 'task_1');
      await driver.remove(spec, { graceSeconds: 1 });
      expect(await host.hasProcesses(spec)).toBe(false);
      expect(await driver.inspect(spec)).toBeNull();
    });

    it('of a crashed pod ends the tasks that outlived its agent', async () => {
      const spec = newSpec();
      const agent = await create(spec);
      await agent.resumeWork();
      await agent.runTask({ taskId: 'task_1', description: 'sleep 1000' });
      await until(async () => (await agent.health()).taskId === 'task_1');
      await host.crash(spec);
      expect(await isListed(spec)).toBe(true);
      await driver.remove(spec, GRACE);
      expect(await host.hasProcesses(spec)).toBe(false);
      expect(await isListed(spec)).toBe(false);
    });

    it('touches no other pod', async () => {
      const [one, other] = [newSpec(), newSpec()];
      await create(one);
      const agent = await create(other);
      await driver.remove(one, GRACE);
      expect(await agent.health()).toMatchObject({ status: 'starting' });
    });
  });

  describe('inspect and list', () => {
    it('tell where the agent is, to another replica too', async () => {
      const spec = newSpec();
      const { address } = await driver.create(spec);
      made.push(identityOf(spec));
      expect(await host.another.inspect(spec)).toMatchObject({ ...identityOf(spec), phase: 'running', address });
      const state = await driver.inspect(spec);
      // One that follows its host hears of it a moment later.
      await until(async () => (await host.another.list()).some((it) => isDeepStrictEqual(it, state)));
    });

    it('tell a crashed pod as dead', async () => {
      const spec = newSpec();
      await create(spec);
      await host.crash(spec);
      await until(async () => (await driver.inspect(spec))?.phase === 'dead');
      expect(await driver.list()).toContainEqual(expect.objectContaining({ ...identityOf(spec), phase: 'dead', address: null, ref: null }));
    });

    it('know nothing of what never was', async () => {
      expect(await driver.inspect(newSpec())).toBeNull();
    });
  });

  if (shown.includes('salvage')) salvagesWhatDeadPodsLeft(() => host, create);

  if (shown.includes('api')) {
    keepsItsPromisesInTrouble(
      () => given(host.api),
      () => driver,
    );
  }

  it('fails with errors that say whether another try is worth it', () => {
    expect(new PodError('stale_generation', '').retryable).toBe(false);
    expect(new PodError('start_timeout', '').retryable).toBe(true);
  });
}
