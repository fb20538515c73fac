import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClient } from '../../src/pods/agent-client';
import type { IsolationKind } from '../../src/pods/process/isolation-kinds';
import { ProcessPodDriver } from '../../src/pods/process/process-pod-driver';
import { bundleAgent } from '../testing/agent-bundle';
import { until } from '../testing/until';
import { credentialsOf, newSpec } from '../testing/workspaces';

const directory = mkdtempSync(join(tmpdir(), 'reprise-installations-'));
// The users of pods pass here.
chmodSync(directory, 0o711);
const agentPath = bundleAgent(directory);
const driverOf = (name: string, isolation: IsolationKind | 'auto'): ProcessPodDriver =>
  new ProcessPodDriver({ podsDir: join(directory, name), agentPath, gatewayUrl: 'http://127.0.0.1:9', isolation });
const pidFileOf = (name: string, workspaceId: string): string => join(directory, name, workspaceId, 'workspace', 'pid');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const isRoot = process.geteuid?.() === 0;

describe('two installations on one machine, restored from one backup', () => {
  // The best way that works here, and the one that leaves most to the mark.
  it.each(['auto', 'environment'] as const)(
    'have the same workspaces, and leave the other one their pods (isolated by %s)',
    async (isolation) => {
      const [one, other] = [driverOf(`${isolation}-1`, isolation), driverOf(`${isolation}-2`, isolation)];
      const spec = newSpec();
      const running = async (name: string, driver: ProcessPodDriver): Promise<AgentClient> => {
        const { address } = await driver.create(spec);
        const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
        await agent.resumeWork();
        await agent.runTask({ taskId: 'task_1', description: 'echo $$ > pid; exec sleep 600' });
        await until(() => existsSync(pidFileOf(name, spec.workspaceId)));
        return agent;
      };
      await running(`${isolation}-1`, one);
      const agent = await running(`${isolation}-2`, other);

      await one.remove(spec, { graceSeconds: 0 });
      expect(await one.inspect(spec)).toBeNull();
      expect(await other.inspect(spec)).toMatchObject({ phase: 'running' });
      expect((await agent.health()).taskId).toBe('task_1');

      // A pod that lives keeps no other installation from making its own, nor does a restart there end it.
      await one.create(spec);
      expect((await agent.health()).taskId).toBe('task_1');
      await one.remove(spec, { graceSeconds: 0 });
      await other.remove(spec, { graceSeconds: 0 });
    },
  );

  (isRoot ? it : it.skip)('have users of their own for the same workspace (needs root)', async () => {
    const spec = newSpec();
    const users: number[] = [];
    for (const name of ['users-1', 'users-2']) {
      const driver = driverOf(name, 'user');
      await driver.create(spec);
      const told = readFileSync(join(directory, name, spec.workspaceId, 'user'), 'utf8');
      users.push(Number(told));
      await driver.remove(spec, { graceSeconds: 0 });
    }
    expect(users[0]).toBeGreaterThanOrEqual(1_900_000_000);
    expect(users[0]).not.toBe(users[1]);
  });
});
