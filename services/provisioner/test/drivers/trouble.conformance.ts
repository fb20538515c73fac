import { AgentClient } from '../../src/pods/agent-client';
import { PodError, type PodDriver, type PodIdentity, type PodSpec } from '../../src/pods/pod-driver';
import { until } from '../testing/until';
import { credentialsOf, newSpec } from '../testing/workspaces';
import type { ApiUnderTest } from './support/driver-under-test';
import { WORDS, type Trouble } from './support/faulty-proxy';

const GRACE = { graceSeconds: 5 };

/** What a driver makes of an API that is slow, refuses, or does not answer; `clearOf` gives one that meets no trouble. */
export function keepsItsPromisesInTrouble(apiOf: () => ApiUnderTest, clearOf: () => PodDriver): void {
  /** Runs a test with an API that can be brought into trouble, and is out of it in the end. */
  const inTrouble = (name: string, test: (api: ApiUnderTest, clear: PodDriver) => Promise<void>): void =>
    it(name, async () => {
      try {
        await test(apiOf(), clearOf());
      } finally {
        apiOf().make(null);
      }
    });
  const failure = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => 'it succeeded',
      (error: unknown) => error,
    );
  const podsOf = async (driver: PodDriver, { workspaceId }: PodIdentity): Promise<number> =>
    (await driver.list()).filter((it) => it.workspaceId === workspaceId && it.phase !== 'dead').length;
  /** This driver has removed it, and knows; another one that follows pods hears of it, and not at once. */
  const knowItsEnd = async ({ driver, isFollowing }: ApiUnderTest, clear: PodDriver, pod: PodIdentity): Promise<void> => {
    expect(await driver.inspect(pod)).toBeNull();
    if (isFollowing) await until(async () => (await clear.inspect(pod)) === null);
    else expect(await clear.inspect(pod)).toBeNull();
  };
  /** A driver that follows pods may do without reads only while it is told of them. */
  const knowsOf = async ({ driver, isFollowing = () => true }: ApiUnderTest, pod: PodSpec): Promise<void> => {
    await answers(driver, pod);
    await until(isFollowing);
    expect(await driver.inspect(pod)).toMatchObject({ phase: 'running' });
  };
  const answers = async (driver: PodDriver, spec: PodSpec): Promise<void> => {
    const { address } = await driver.create(spec);
    expect(await new AgentClient({ address, credentials: credentialsOf(spec) }).health()).toMatchObject({ generation: spec.generation });
    expect(await podsOf(driver, spec)).toBe(1);
  };
  /** A driver that was told of its pods before may tell of them; what it does not know it must not make up. */
  const readsThatFail = async ({ driver, isFollowing }: ApiUnderTest, there: PodIdentity): Promise<Promise<unknown>[]> => {
    if (!isFollowing) return [driver.inspect(there), driver.list()];
    const known = { workspaceId: there.workspaceId, generation: there.generation, phase: 'running' };
    expect(await driver.inspect(there)).toMatchObject(known);
    expect(await driver.list()).toContainEqual(expect.objectContaining(known));
    return [driver.inspect(newSpec())];
  };

  describe('with an API', () => {
    inTrouble('that is slow, it works', async (api, clear) => {
      api.make({ kind: 'slow', ms: 150 });
      const spec = newSpec();
      await answers(api.driver, spec);
      await api.driver.remove(spec, GRACE);
      await knowItsEnd(api, clear, spec);
    });

    for (const status of [409, 429, 500, 503]) {
      inTrouble(`that answers ${status} to everything, each call fails for now, in its words`, async (api, clear) => {
        const there = newSpec();
        await answers(clear, there);
        await knowsOf(api, there);
        api.make({ kind: 'status', status });
        const calls = [
          api.driver.create(newSpec()),
          api.driver.create(there),
          api.driver.remove(there, GRACE),
          ...(await readsThatFail(api, there)),
        ];
        for (const error of await Promise.all(calls.map(failure))) {
          expect(error).toBeInstanceOf(PodError);
          expect(error).toMatchObject({ retryable: true, detail: expect.stringContaining(WORDS) });
          expect(String(error)).not.toContain(there.token);
        }
        api.make(null);
        expect(await api.driver.inspect(there)).toMatchObject({ phase: 'running' });
        await api.driver.remove(there, GRACE);
        await knowItsEnd(api, clear, there);
      });

      inTrouble(`that answers ${status} to the making of a pod alone, none is made, and the next try makes one`, async (api, clear) => {
        const spec = newSpec();
        api.make({ kind: 'status', status }, api.makesPod);
        expect(await failure(api.driver.create(spec))).toMatchObject({ retryable: true });
        expect(await podsOf(clear, spec)).toBe(0);
        api.make(null);
        await answers(api.driver, spec);
        await clear.remove(spec, GRACE);
      });
    }

    inTrouble('that never answers, each call fails in time', async (api, clear) => {
      const there = newSpec();
      await answers(clear, there);
      await knowsOf(api, there);
      api.make({ kind: 'hang' });
      const calls = [api.driver.create(newSpec()), api.driver.remove(there, GRACE), ...(await readsThatFail(api, there))];
      for (const error of await Promise.all(calls.map(failure))) expect(error).toMatchObject({ reason: 'unavailable', retryable: true });
      api.make(null);
      expect(await clear.inspect(there)).toMatchObject({ phase: 'running' });
      await clear.remove(there, GRACE);
    });

    for (const trouble of [{ kind: 'lost' }, { kind: 'cut' }] satisfies Trouble[]) {
      inTrouble(`whose answer is ${trouble.kind} when the pod was made, the next try adopts it`, async (api, clear) => {
        const spec = newSpec();
        api.make(trouble, api.makesPod);
        expect(await failure(api.driver.create(spec))).toMatchObject({ retryable: true });
        api.make(null);
        await answers(api.driver, spec);
        await clear.remove(spec, GRACE);
        expect(await clear.inspect(spec)).toBeNull();
      });

      inTrouble(`whose answer is ${trouble.kind} when the pod was removed, the next try finds nothing`, async (api, clear) => {
        const spec = newSpec();
        await answers(clear, spec);
        api.make(trouble, api.removesPod);
        expect(await failure(api.driver.remove(spec, GRACE))).toMatchObject({ retryable: true });
        api.make(null);
        await api.driver.remove(spec, GRACE);
        await knowItsEnd(api, clear, spec);
      });
    }

    inTrouble('that is not there, each call fails for now', async ({ unreachable }) => {
      const spec = newSpec();
      const calls = [unreachable.create(spec), unreachable.remove(spec, GRACE), unreachable.inspect(spec), unreachable.list()];
      for (const error of await Promise.all(calls.map(failure))) expect(error).toMatchObject({ reason: 'unavailable', retryable: true });
    });
  });
}
