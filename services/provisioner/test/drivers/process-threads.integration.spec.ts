import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodDriver, PodIdentity } from '../../src/pods/pod-driver';
import type { IsolationKind } from '../../src/pods/process/isolation-kinds';
import { ProcessPodDriver } from '../../src/pods/process/process-pod-driver';
import { firstThreadEnds, HAS_PROGRAM } from '../testing/first-thread-ends';
import { hasEnded } from '../testing/processes';
import { until } from '../testing/until';
import { newSpec } from '../testing/workspaces';
import * as ground from './support/ground-of-user';

const { agentOf, agentPath, directory, isRoot, kill, newDriver, readyPod, said, state } = ground;
const cgroup = ground.newCgroup();
const ofRoot = join(directory, 'of-root');
const drivers: PodDriver[] = [];
let count = 0;

afterAll(async () => {
  for (const driver of drivers) for (const pod of await driver.list()) await driver.remove(pod, { graceSeconds: 0 });
  await ground.end(cgroup);
});

/** As root, each pod has a user of its own, which passes here. */
function driverOfRoot(): ProcessPodDriver {
  mkdirSync(ofRoot, { mode: 0o711, recursive: true });
  return new ProcessPodDriver({ podsDir: ofRoot, agentPath, gatewayUrl: 'http://127.0.0.1:9', isolation: 'user' });
}

/** What drops its environment is to be found all the same, but where that alone tells. */
const WAYS: [kind: IsolationKind, works: boolean, podsDir: string, make: () => PodDriver, leave: string][] = [
  ['user', isRoot, ofRoot, driverOfRoot, 'env -i'],
  ['namespace', ground.HAS_NAMESPACES, join(state, 'n'), () => newDriver({ podsDir: join(state, 'n'), isolation: 'namespace' }), 'env -i'],
  ['cgroup', cgroup !== null, join(state, 'c'), () => newDriver({ podsDir: join(state, 'c'), isolation: 'cgroup' }, cgroup!), 'env -i'],
  ['environment', true, join(state, 'e'), () => newDriver({ podsDir: join(state, 'e'), isolation: 'environment' }), ''],
];

describe.each(WAYS)('a process whose first thread has ended, of a pod that is isolated by %s', (kind, works, podsDir, make, leave) => {
  const withProgram = HAS_PROGRAM && works ? it : it.skip;
  let driver: PodDriver;
  beforeAll(() => {
    if (!works) return;
    driver = make();
    drivers.push(driver);
  });

  const pidOf = (name: string): number | undefined =>
    readdirSync('/proc')
      .filter((pid) => /^[0-9]+$/.test(pid))
      .map(Number)
      .find((pid) => commandOf(pid) === name);
  const sizeOf = (file: string): number => statSync(file).size;

  /** Has left its session, its directory and its parent; it goes on appending to a file. */
  async function begun(pod: PodIdentity, agent: Awaited<ReturnType<typeof readyPod>>): Promise<{ pid: number; log: string }> {
    const workspace = join(podsDir, pod.workspaceId, 'workspace');
    const name = `t${process.pid}-${++count}`;
    const [program, log] = [firstThreadEnds(workspace, name), join(workspace, `log-${count}`)];
    chmodSync(program, 0o755);
    await said(agent, `cd /; setsid ${leave} ${program} ${log} </dev/null >/dev/null 2>&1 & while ! [ -s ${log} ]; do sleep 0.02; done`);
    const pid = await until(() => pidOf(name));
    await until(() => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '));
    expect(hasEnded(pid)).toBe(false);
    return { pid, log };
  }

  withProgram('stands still while the pod is frozen, and is ended at quiesce', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    const { pid, log } = await begun(spec, agent);
    expect(await agent.freeze()).toEqual({ inBackground: 1 });
    const frozen = sizeOf(log);
    await sleep(100);
    expect(sizeOf(log)).toBe(frozen);
    await agent.thaw();
    await until(() => sizeOf(log) > frozen);
    await agent.quiesce('saved');
    expect(hasEnded(pid)).toBe(true);
    await driver.remove(spec, { graceSeconds: 5 });
  });

  withProgram('is ended at removal, at a salvage, and before the next pod is made', async () => {
    const acts: [string, (spec: ReturnType<typeof newSpec>) => Promise<unknown>][] = [
      ['removal', (spec) => driver.remove(spec, { graceSeconds: 0 })],
      ['salvage', (spec) => driver.salvage(spec)],
      ['next', (spec) => driver.create({ ...spec, generation: 2 })],
    ];
    for (const [what, act] of acts) {
      const spec = newSpec();
      const { pid } = await begun(spec, await readyPod(spec, driver));
      await kill([await agentOf(driver, spec)]);
      // A namespace ends with its agent.
      if (kind !== 'namespace') expect([what, hasEnded(pid)]).toEqual([what, false]);
      await act(spec);
      expect([what, hasEnded(pid)]).toEqual([what, true]);
    }
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
