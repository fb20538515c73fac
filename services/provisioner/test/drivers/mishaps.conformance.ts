import { Readable } from 'node:stream';
import { AgentClient } from '../../src/pods/agent-client';
import { ANY_RUNTIME, type PodDriver, type PodErrorReason, type PodIdentity, type PodSpec } from '../../src/pods/pod-driver';
import { until } from '../testing/until';
import { LIMITS } from '../testing/limits';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';
import { DIES_AT_START, HEEDS_NO_SIGNAL, NEVER_LISTENS } from './support/agents';
import { given, type DriverUnderTest, type Shown } from './support/driver-under-test';

const GRACE = { graceSeconds: 10 };

/** What a driver makes of agents that do not do what they should, of things that others do to its pods, and of what its back end does not have. */
export function keepsItsPromisesAsThingsGoWrong(
  hostOf: () => DriverUnderTest,
  create: (spec: PodSpec, by?: PodDriver) => Promise<AgentClient>,
  shown: readonly Shown[],
): void {
  const refused = (reason: PodErrorReason): object => expect.objectContaining({ reason }) as object;
  const made: PodIdentity[] = [];
  let host: DriverUnderTest;
  let driver: PodDriver;
  beforeAll(() => {
    host = hostOf();
    driver = host.driver;
  });
  afterEach(async () => {
    for (const pod of made.splice(0)) await driver.remove(pod, { graceSeconds: 0 });
  });

  describe('a pod whose agent', () => {
    it('never listens is ended, and can be removed', async () => {
      const spec = newSpec();
      made.push(spec);
      const silent = await host.withAgent(NEVER_LISTENS, { startTimeoutMs: 1_500 });
      await expect(silent.create(spec)).rejects.toEqual(refused('start_timeout'));
      await until(async () => !(await host.hasProcesses(spec)));
      await silent.remove(spec, { graceSeconds: 0 });
      expect(await driver.inspect(spec)).toBeNull();
    });

    it('dies as it starts is told with its last words, and made anew by the next create', async () => {
      const spec = newSpec();
      made.push(spec);
      const dying = await host.withAgent(DIES_AT_START, { startTimeoutMs: 30_000 });
      const error = await dying.create(spec).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ reason: 'start_failed', retryable: true, detail: expect.stringContaining('the reason why') });
      expect(JSON.stringify(error)).not.toContain(spec.token);
      expect((await driver.inspect(spec))?.phase).toBe('dead');
      expect(await (await create(spec)).health()).toMatchObject({ status: 'starting' });
    });

    it('heeds no signal is removed when its grace is over', async () => {
      const spec = newSpec();
      made.push(spec);
      const stubborn = await host.withAgent(HEEDS_NO_SIGNAL, { startTimeoutMs: 30_000 });
      await stubborn.create(spec);
      const begun = Date.now();
      await driver.remove(spec, { graceSeconds: 2 });
      expect(Date.now() - begun).toBeGreaterThanOrEqual(1_900);
      expect(await host.hasProcesses(spec)).toBe(false);
      expect(await driver.inspect(spec)).toBeNull();
    });
  });

  describe('a pod that is made', () => {
    it('is adopted by a provisioner that comes after, and carried through to its end', async () => {
      const spec = newSpec({ environment: 'kept' });
      const agent = await create(spec);
      await agent.resumeWork();
      await agent.runTask({ taskId: 'task_1', description: 'echo of the first > file; printf done' });
      await until(async () => (await agent.history()).includes('task.ended'));
      const state = await host.another.inspect(spec);
      const { address } = await host.another.create(spec);
      expect(address).toBe(state?.address);
      const adopted = new AgentClient({ address, credentials: credentialsOf(spec) });
      expect(await adopted.health()).toMatchObject({ status: 'ready' });
      expect(await adopted.quiesce('saved')).toEqual({ interruptedTaskId: null });
      const { stream, digest } = await adopted.snapshot(LIMITS);
      const tar = await collect(stream);
      const { sha256 } = await digest;
      await host.another.remove(spec, GRACE);

      const next = nextGeneration(spec);
      const heir = await create(next, host.another);
      await heir.restore(Readable.from([tar]), { sha256 });
      await heir.resumeWork();
      await heir.runTask({ taskId: 'task_2', description: 'cat file' });
      const history = await until(async () => {
        const text = await heir.history();
        return text.split('task.ended').length === 3 ? text : null;
      });
      expect(history).toContain('of the first');
    });

    it('and taken away behind our back is told as gone, and can be removed and made again', async () => {
      const spec = newSpec();
      await create(spec);
      await host.takeAway(spec);
      await until(async () => ((await driver.inspect(spec))?.phase ?? 'gone') !== 'running');
      await driver.remove(spec, GRACE);
      expect(await driver.inspect(spec)).toBeNull();
      expect((await driver.list()).map(({ workspaceId }) => workspaceId)).not.toContain(spec.workspaceId);
      expect(await (await create(spec)).health()).toMatchObject({ status: 'starting' });
    });
  });

  if (shown.includes('bounds')) {
    it('and quiesced stands still, whatever its tasks have left behind in sessions and directories of their own, without their environment', async () => {
      const spec = newSpec();
      const agent = await create(spec);
      await agent.resumeWork();
      const stray = 'cd /; trap "" TERM HUP; while :; do echo x >> $0/stray; done';
      const description = `setsid env -i /bin/sh -c '(${stray}) &' "$PWD" >/dev/null 2>&1; while ! [ -s stray ]; do sleep 0.02; done; echo begun`;
      await agent.runTask({ taskId: 'task_1', description });
      await until(async () => (await agent.history()).includes('task.ended'));
      await agent.quiesce('saved');
      const [one, other] = [await digestOf(agent), await digestOf(agent)];
      expect(one).toBe(other);
    });
  }

  if (shown.includes('names')) {
    it('whose name something else has is refused for now, and leaves that alone', async () => {
      const spec = newSpec();
      const { impatient, free } = await given(host.occupy)(spec);
      await expect(impatient.create(spec)).rejects.toMatchObject({ retryable: true });
      expect(await free()).toBe(true);
      expect(await (await create(spec)).health()).toMatchObject({ status: 'starting' });
    });
  }

  if (shown.includes('images')) {
    it('of an image that cannot be had is refused, and so is what is no name of an image', async () => {
      const image = given(host.missingImage);
      const spec = newSpec({ runtime: { ...ANY_RUNTIME, image } });
      made.push(spec);
      const detail = expect.stringContaining(image) as string;
      await expect(driver.create(spec)).rejects.toMatchObject({ reason: 'image_unavailable', retryable: true, detail });
      const nonsense = newSpec({ runtime: { ...ANY_RUNTIME, image: '../no such?image' } });
      await expect(driver.create(nonsense)).rejects.toEqual(refused('invalid_spec'));
    });
  }

  if (shown.includes('quota')) {
    it('beyond the quota is refused for now, and leaves nothing', async () => {
      const full = await given(host.withoutQuota)();
      const spec = newSpec();
      await expect(full.create(spec)).rejects.toMatchObject({ reason: 'quota_exceeded', retryable: true });
      await full.remove(spec, GRACE);
      expect(await full.inspect(spec)).toBeNull();
    });
  }
}

/** Of all that is in the workspace. */
async function digestOf(agent: AgentClient): Promise<string> {
  const { stream, digest } = await agent.snapshot(LIMITS);
  stream.resume();
  return (await digest).sha256;
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
