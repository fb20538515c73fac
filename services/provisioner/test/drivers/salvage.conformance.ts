import { AgentClient } from '../../src/pods/agent-client';
import type { PodDriver, PodErrorReason, PodIdentity, PodSpec } from '../../src/pods/pod-driver';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';
import { LIMITS } from '../testing/limits';
import type { DriverUnderTest } from './support/driver-under-test';

/** What a driver makes of pods that are dead, and whose files are still there. */
export function salvagesWhatDeadPodsLeft(
  hostOf: () => DriverUnderTest,
  create: (spec: PodSpec, by?: PodDriver) => Promise<AgentClient>,
): void {
  const refused = (reason: PodErrorReason): object => expect.objectContaining({ reason }) as object;
  let host: DriverUnderTest;
  let driver: PodDriver;
  beforeAll(() => {
    host = hostOf();
    driver = host.driver;
  });

  /** A pod that wrote a file, left a process that goes on writing, and died. */
  async function dead(spec = newSpec()): Promise<PodSpec> {
    const agent = await create(spec);
    await agent.resumeWork();
    const description = '(while :; do echo x >> going-on; sleep 0.05; done) & echo kept > file; sync; echo done';
    await agent.runTask({ taskId: 'task_1', description });
    await until(async () => (await agent.history()).includes('task.ended'));
    await crashed(spec);
    return spec;
  }

  async function crashed(pod: PodIdentity): Promise<void> {
    await host.crash(pod);
    await until(async () => (await driver.inspect(pod))?.phase === 'dead');
  }

  async function salvaged(spec: PodSpec, by = driver): Promise<AgentClient> {
    const { address } = await by.salvage(spec);
    return new AgentClient({ address, credentials: credentialsOf(spec) });
  }

  async function textOf(agent: AgentClient): Promise<string> {
    const { stream, digest } = await agent.snapshot(LIMITS);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    await digest;
    return Buffer.concat(chunks).toString('latin1');
  }

  describe('salvage', () => {
    it('of a dead pod serves its files, at rest and for good', async () => {
      const spec = await dead();
      expect(await driver.inspect(spec)).toMatchObject({ phase: 'dead', salvageable: true });
      const agent = await salvaged(spec);
      expect(await agent.health()).toMatchObject({ status: 'quiesced', generation: 1, salvages: true });
      const snapshot = await textOf(agent);
      expect(snapshot).toContain('kept\n');
      // Nothing of the dead pod runs any more, and nothing is written in its name.
      expect(await textOf(agent)).toBe(snapshot);
      await expect(agent.resumeWork()).rejects.toMatchObject({ agentCode: 'salvage_only', retryable: false });
      await expect(agent.runTask({ taskId: 'task_2', description: 'echo' })).rejects.toMatchObject({ agentCode: 'not_ready' });
      expect(await driver.inspect(spec)).toMatchObject({ phase: 'running' });
    });

    it('from many sides at once, and again, gives one agent', async () => {
      const spec = await dead();
      const handles = await Promise.all([driver, host.another, driver].map((by) => by.salvage(spec)));
      handles.push(await host.another.salvage(spec));
      expect(new Set(handles.map(({ address }) => address)).size).toBe(1);
    });

    it('gives another agent where the first one has died, and the same files', async () => {
      const spec = await dead();
      await salvaged(spec);
      await crashed(spec);
      expect(await textOf(await salvaged(spec))).toContain('kept\n');
    });

    it('is no second pod: a newer one is refused while it is open, and made once it is removed', async () => {
      const spec = await dead();
      await salvaged(spec);
      const next = nextGeneration(spec);
      await expect(driver.create(next)).rejects.toEqual(refused('older_pod_alive'));
      await driver.remove(spec, { graceSeconds: 1 });
      expect(await driver.inspect(spec)).toBeNull();
      expect(await (await create(next)).health()).toMatchObject({ generation: 2, status: 'starting' });
      await expect(driver.salvage(spec)).rejects.toMatchObject({ reason: expect.stringMatching(/^(nothing_left|stale_generation)$/) });
    });

    it('is held back by no fence: also what a pod left that a newer one was to follow', async () => {
      const spec = await dead();
      const next = nextGeneration(spec);
      await create(next);
      await expect(driver.salvage(spec)).rejects.toEqual(refused('stale_generation'));
      await driver.remove(next, { graceSeconds: 1 });
      expect(await textOf(await salvaged(spec))).toContain('kept\n');
    });

    it('of what never was, or was removed, finds nothing, and makes nothing', async () => {
      const spec = newSpec();
      await expect(driver.salvage(spec)).rejects.toEqual(refused('nothing_left'));
      expect(await driver.inspect(spec)).toBeNull();
      await dead(spec);
      await driver.remove(spec, { graceSeconds: 1 });
      await expect(driver.salvage(spec)).rejects.toEqual(refused('nothing_left'));
      expect(await driver.inspect(spec)).toBeNull();
    });
  });
}
