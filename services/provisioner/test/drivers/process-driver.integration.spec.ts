import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClient } from '../../src/pods/agent-client';
import type { PodIdentity } from '../../src/pods/pod-driver';
import { ProcessPodDriver, type ProcessDriverOptions } from '../../src/pods/process/process-pod-driver';
import { bundleAgent } from '../testing/agent-bundle';
import { until } from '../testing/until';
import { newSpec, nextGeneration } from '../testing/workspaces';
import { keepsThePromisesOfAPodDriver } from './conformance';

const directory = mkdtempSync(join(tmpdir(), 'reprise-pods-'));
const podsDir = join(directory, 'pods');
const agentPath = bundleAgent(directory);
const newDriver = (options: Partial<ProcessDriverOptions> = {}): ProcessPodDriver =>
  new ProcessPodDriver({ podsDir, agentPath, gatewayUrl: 'http://127.0.0.1:9', ...options });
const driver = newDriver();

/** By /proc alone: what carries the pod's mark, works in its directory, or is in the session of one that does. */
function processesOf(pod: PodIdentity): number[] {
  const out = execFileSync('sh', ['-c', `grep -lzs '^REPRISE_POD=${pod.workspaceId}/${pod.generation}$' /proc/[0-9]*/environ || true`]);
  const byCwd = execFileSync('sh', [
    '-c',
    `for p in /proc/[0-9]*; do case "$(readlink $p/cwd)" in ${podsDir}/${pod.workspaceId}/${pod.generation}/*) echo $p/;; esac; done`,
  ]);
  const lines = `${out.toString()}\n${byCwd.toString()}`.split('\n').filter((line) => line !== '');
  return [...new Set(lines.map((line) => Number(line.split('/')[2])))];
}

/** Whether nothing of a process runs any more, reaped or not: one that was killed gives its memory back first, and ends a little later. */
function hasEnded(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z');
  } catch {
    return true;
  }
}

afterAll(async () => {
  for (const pod of await driver.list()) await driver.remove(pod, { graceSeconds: 0 });
  rmSync(directory, { recursive: true, force: true });
});

describe('the process driver', () => {
  keepsThePromisesOfAPodDriver(() =>
    Promise.resolve({
      driver,
      another: newDriver(),
      crash: async (pod) => {
        const { pid } = JSON.parse(readFileSync(join(podsDir, pod.workspaceId, String(pod.generation), 'agent.json'), 'utf8')) as {
          pid: number;
        };
        process.kill(pid, 'SIGKILL');
        await until(() => hasEnded(pid));
      },
      hasProcesses: (pod) => Promise.resolve(processesOf(pod).length > 0),
      takeAway: async (pod) => {
        const pids = processesOf(pod);
        for (const pid of pids) process.kill(pid, 'SIGKILL');
        await until(() => pids.every(hasEnded));
        rmSync(join(podsDir, pod.workspaceId, String(pod.generation)), { recursive: true });
      },
      withAgent: (program, options) => {
        const file = join(mkdtempSync(join(directory, 'agent-')), 'agent.js');
        writeFileSync(file, program);
        return Promise.resolve(newDriver({ agentPath: file, ...options }));
      },
    }),
  );
});

describe('a pod that is a process', () => {
  it("is in a session of its own and has none of its maker's secrets", async () => {
    process.env.DATABASE_URL = 'postgres://secret';
    const spec = newSpec();
    await driver.create(spec);
    delete process.env.DATABASE_URL;
    const [pid] = processesOf(spec);
    expect(Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[3])).toBe(pid);
    const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .filter(Boolean)
      .map((entry) => entry.split('=')[0]);
    expect(names.filter((name) => !/^(REPRISE_.*|PATH|HOME|LANG|TZ)$/.test(name!))).toEqual([]);
    await driver.remove(spec, { graceSeconds: 5 });
  });

  it('outlives its provisioner, killed in any moment of creating it, and is found by the next one', async () => {
    const seen = new Set<string>();
    // From before the spawn until after the record: a pod comes up in some 100 ms, and in more where the machine is busy.
    for (const delay of [0, 50, 100, 150, 200, 250, 2_000]) {
      const spec = newSpec();
      const provisioner = spawn(
        process.execPath,
        [creator(), JSON.stringify({ podsDir, agentPath, gatewayUrl: 'http://127.0.0.1:9' }), JSON.stringify(spec)],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await once(provisioner.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, delay));
      provisioner.kill('SIGKILL');
      await once(provisioner, 'exit');
      const recorded = existsSync(join(podsDir, spec.workspaceId, '1', 'process.json'));
      seen.add(`${processesOf(spec).length} process, ${recorded ? 'recorded' : 'not recorded'}`);
      // A child that was forked a moment ago is not the agent yet, to anyone who looks.
      const isListed = async (): Promise<boolean> =>
        (await driver.list()).some((it) => it.workspaceId === spec.workspaceId && it.phase !== 'dead');
      await until(async () => (await isListed()) === processesOf(spec).length > 0);
      // And a create that comes again finds it, or makes it: one pod in either case.
      const { address } = await newDriver().create(spec);
      expect(await new AgentClient({ address, token: spec.token }).health()).toMatchObject({ workspaceId: spec.workspaceId });
      expect(processesOf(spec)).toHaveLength(1);
      await driver.remove(spec, { graceSeconds: 5 });
    }
    expect([...seen]).toContain('1 process, recorded');
  });

  it('is found without its record', async () => {
    const spec = newSpec();
    await driver.create(spec);
    rmSync(join(podsDir, spec.workspaceId, '1', 'process.json'));
    expect(await newDriver().list()).toContainEqual(expect.objectContaining({ workspaceId: spec.workspaceId, phase: 'running' }));
    await expect(newDriver().create(nextGeneration(spec))).rejects.toMatchObject({ reason: 'older_pod_alive' });
    rmSync(join(podsDir, spec.workspaceId, '1'), { recursive: true });
    expect(await newDriver().list()).toContainEqual(expect.objectContaining({ workspaceId: spec.workspaceId }));
    await driver.remove(spec, { graceSeconds: 5 });
    expect(processesOf(spec)).toEqual([]);
  });

  it('is not taken for another process that has its pid by now', async () => {
    const spec = newSpec();
    await driver.create(spec);
    await driver.remove(spec, { graceSeconds: 5 });
    const bystander = spawn('sleep', ['1000']);
    mkdirSync(join(podsDir, spec.workspaceId, '1'), { recursive: true });
    writeFileSync(join(podsDir, spec.workspaceId, '1', 'process.json'), JSON.stringify({ pid: bystander.pid, start: 'another boot:42' }));
    expect(await driver.inspect(spec)).toMatchObject({ phase: 'dead' });
    await driver.remove(spec, { graceSeconds: 5 });
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    bystander.kill();
  });

  it('is removed although its agent is stopped and heeds no signal but SIGKILL', async () => {
    const spec = newSpec();
    await driver.create(spec);
    process.kill(processesOf(spec)[0]!, 'SIGSTOP');
    await driver.remove(spec, { graceSeconds: 1 });
    expect(processesOf(spec)).toEqual([]);
  });

  it('is removed with files that no one may enter or write', async () => {
    const spec = newSpec();
    const { address } = await driver.create(spec);
    const agent = new AgentClient({ address, token: spec.token });
    await agent.resumeWork();
    await agent.runTask({ taskId: 'task_1', description: 'mkdir -p a/b; touch a/b/c "$(printf \'a/\\377\')"; chmod 0 a/b; chmod 500 a' });
    await until(async () => (await agent.health()).taskId === null && (await agent.history()).includes('task.ended'));
    await driver.remove(spec, { graceSeconds: 5 });
    expect(existsSync(join(podsDir, spec.workspaceId, '1'))).toBe(false);
    await until(() => readdirSync(join(podsDir, '.removed')).length === 0);
  });

  it("waits for another one's work at the same workspace, but not for ever, and not for the dead", async () => {
    const silent = join(directory, 'silent-agent.js');
    writeFileSync(silent, 'setInterval(() => {}, 1000)');
    const spec = newSpec();
    const slow = newDriver({ agentPath: silent, startTimeoutMs: 3_000 })
      .create(spec)
      .catch((error: unknown) => error);
    await until(() => existsSync(join(podsDir, spec.workspaceId, 'lock', '1')));
    await expect(newDriver({ lockTimeoutMs: 200 }).create(spec)).rejects.toMatchObject({ reason: 'locked', retryable: true });
    await slow;
    writeFileSync(join(podsDir, spec.workspaceId, 'lock', '7'), JSON.stringify({ pid: process.pid, start: 'another boot:42' }));
    expect(await newDriver({ lockTimeoutMs: 200 }).create(spec)).toMatchObject({ workspaceId: spec.workspaceId });
    await driver.remove(spec, { graceSeconds: 5 });
  });

  (process.geteuid?.() === 0 ? it : it.skip)('on a full disk is refused with no_space (needs root: mounts a tmpfs)', async () => {
    const mount = join(directory, 'small');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]);
    try {
      execFileSync('sh', ['-c', `head -c 100000 /dev/zero > ${mount}/full || true`], { stdio: 'ignore' });
      await expect(newDriver({ podsDir: join(mount, 'pods') }).create(newSpec())).rejects.toMatchObject({
        reason: 'no_space',
        retryable: true,
      });
    } finally {
      execFileSync('umount', ['-l', mount]);
    }
  });

  it('keeps its files to itself', async () => {
    const spec = newSpec();
    await driver.create(spec);
    expect(readdirSync(join(podsDir, spec.workspaceId, '1')).sort()).toEqual(['agent.json', 'agent.log', 'process.json', 'workspace']);
    chmodSync(podsDir, 0o755);
    expect(
      execFileSync('stat', ['-c', '%a', join(podsDir, spec.workspaceId)])
        .toString()
        .trim(),
    ).toBe('700');
    await driver.remove(spec, { graceSeconds: 5 });
  });
});

/** A program that does nothing but create a pod, to be killed while it does. */
function creator(): string {
  const file = join(directory, 'creator.js');
  if (!existsSync(file)) {
    const source = `
      const { ProcessPodDriver } = require('./driver.js');
      process.stdout.write('begin');
      new ProcessPodDriver(JSON.parse(process.argv[2])).create(JSON.parse(process.argv[3])).then(() => setInterval(() => {}, 1000));`;
    writeFileSync(file, source);
    const driverSource = join(__dirname, '../../src/pods/process/process-pod-driver.ts');
    execFileSync(join(__dirname, '../../../../node_modules/.bin/esbuild'), [
      driverSource,
      '--bundle',
      '--platform=node',
      `--outfile=${join(directory, 'driver.js')}`,
      '--log-level=error',
    ]);
  }
  return file;
}
