import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  promises,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { AgentClient } from '../../src/pods/agent-client';
import { agentEnvironment } from '../../src/pods/agent-environment';
import type { PodIdentity, PodSpec } from '../../src/pods/pod-driver';
import { ProcessPodDriver, type ProcessDriverOptions } from '../../src/pods/process/process-pod-driver';
import { bundleAgent } from '../testing/agent-bundle';
import { LIMITS } from '../testing/limits';
import { hasEnded } from '../testing/processes';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';
import { keepsThePromisesOfAPodDriver } from './conformance';
import { bundleDriver } from './support/bundled-driver';

const directory = mkdtempSync(join(tmpdir(), 'reprise-pods-'));
// As root, each pod has a user of its own, which passes here.
chmodSync(directory, 0o711);
const podsDir = join(directory, 'pods');
const agentPath = bundleAgent(directory);
// Namespaces, which are in the way of looking at a pod's processes from here, are tested in a file of their own.
const isolation = process.geteuid?.() === 0 ? 'user' : 'environment';
const newDriver = (options: Partial<ProcessDriverOptions> = {}): ProcessPodDriver =>
  new ProcessPodDriver({ podsDir, agentPath, gatewayUrl: 'http://127.0.0.1:9', isolation, ...options });
const driver = newDriver();

/** Of its generation alone. */
const ownOf = (pod: PodIdentity): string => join(podsDir, pod.workspaceId, String(pod.generation));
/** Of whichever generation runs. */
const filesOf = ({ workspaceId }: Pick<PodIdentity, 'workspaceId'>): string => join(podsDir, workspaceId, 'workspace');

/** By /proc alone: what carries the pod's mark or works in its directories. */
function processesOf(pod: PodIdentity): number[] {
  const mark = `/${pod.workspaceId}/${pod.generation}`;
  const directories = [ownOf(pod), filesOf(pod)];
  const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      if (
        readFileSync(`/proc/${pid}/environ`, 'utf8')
          .split('\0')
          .some((entry) => entry.startsWith('REPRISE_POD=') && entry.endsWith(mark))
      )
        return true;
      const cwd = readlinkSync(`/proc/${pid}/cwd`);
      return directories.some((directory) => `${cwd}/`.startsWith(`${directory}/`));
    } catch {
      return false; // It has gone meanwhile, or is the kernel's own.
    }
  });
}

function agentOf(pod: PodIdentity): number {
  return (JSON.parse(readFileSync(join(ownOf(pod), 'told', 'agent.json'), 'utf8')) as { pid: number }).pid;
}

async function kill(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await until(() => pids.every(hasEnded));
}

afterAll(async () => {
  for (const pod of await driver.list()) await driver.remove(pod, { graceSeconds: 0 });
  rmSync(directory, { recursive: true, force: true });
});

describe('the process driver', () => {
  keepsThePromisesOfAPodDriver(
    () =>
      Promise.resolve({
        driver,
        another: newDriver(),
        crash: async (pod) => {
          await kill([agentOf(pod)]);
        },
        hasProcesses: (pod) => Promise.resolve(processesOf(pod).length > 0),
        takeAway: async (pod) => {
          await kill(processesOf(pod));
          for (const path of [ownOf(pod), filesOf(pod)]) rmSync(path, { recursive: true });
        },
        withAgent: (program, options) => {
          const file = join(directory, `agent-${randomUUID()}.js`);
          writeFileSync(file, program);
          return Promise.resolve(newDriver({ agentPath: file, ...options }));
        },
      }),
    isolation === 'user' ? ['bounds', 'salvage'] : ['salvage'],
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
    for (const delay of [0, 50, 100, 150, 200, 250, 500, null]) {
      const spec = newSpec();
      const isRecorded = (): boolean => existsSync(join(podsDir, spec.workspaceId, '1', 'process.json'));
      const provisioner = spawn(
        process.execPath,
        [creator(), JSON.stringify({ podsDir, agentPath, gatewayUrl: 'http://127.0.0.1:9', isolation }), JSON.stringify(spec)],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await once(provisioner.stdout, 'data');
      if (delay === null) await until(isRecorded);
      else await new Promise((resolve) => setTimeout(resolve, delay));
      provisioner.kill('SIGKILL');
      await once(provisioner, 'exit');
      seen.add(`${processesOf(spec).length} process, ${isRecorded() ? 'recorded' : 'not recorded'}`);
      // A child that was forked a moment ago is not the agent yet, to anyone who looks.
      const isListed = async (): Promise<boolean> =>
        (await driver.list()).some((it) => it.workspaceId === spec.workspaceId && it.phase !== 'dead');
      await until(async () => (await isListed()) === processesOf(spec).length > 0);
      // And a create that comes again finds it, or makes it: one pod in either case.
      const { address } = await newDriver().create(spec);
      expect(await new AgentClient({ address, credentials: credentialsOf(spec) }).health()).toMatchObject({
        workspaceId: spec.workspaceId,
      });
      expect(processesOf(spec)).toHaveLength(1);
      await driver.remove(spec, { graceSeconds: 5 });
    }
    expect([...seen]).toContain('1 process, recorded');
  });

  it('is made without a look at the machine, and removed with one, or two where its processes have nothing but a mark', async () => {
    const first = newSpec();
    await driver.create(first);
    await driver.remove(first, { graceSeconds: 5 });
    const listed = jest.spyOn(promises, 'readdir');
    const looks = (): number => listed.mock.calls.splice(0).filter(([path]) => path === '/proc').length;
    const spec = nextGeneration(first);
    await driver.create(spec);
    expect(looks()).toBe(0);
    await driver.remove(spec, { graceSeconds: 5 });
    expect(looks()).toBe(isolation === 'user' ? 1 : 2);
    listed.mockRestore();
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
    const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
    await agent.resumeWork();
    await agent.runTask({ taskId: 'task_1', description: 'mkdir -p a/b; touch a/b/c "$(printf \'a/\\377\')"; chmod 0 a/b; chmod 500 a' });
    await until(async () => (await agent.health()).taskId === null && (await agent.history()).includes('task.ended'));
    await driver.remove(spec, { graceSeconds: 5 });
    expect(existsSync(ownOf(spec))).toBe(false);
    expect(existsSync(filesOf(spec))).toBe(false);
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
    expect(readdirSync(ownOf(spec)).sort()).toEqual(['agent.log', 'isolation.json', 'process.json', 'told']);
    const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    // A user of the pod's own has to pass, and can neither list nor read.
    const passable = process.geteuid?.() === 0 ? '711' : '700';
    for (const path of [podsDir, join(podsDir, spec.workspaceId), ownOf(spec)]) expect(modeOf(path)).toBe(passable);
    for (const path of [filesOf(spec), join(ownOf(spec), 'told')]) expect(modeOf(path)).toBe('700');
    for (const name of ['agent.log', 'isolation.json', 'process.json']) expect(modeOf(join(ownOf(spec), name))).toBe('600');
    await driver.remove(spec, { graceSeconds: 5 });
  });
});

describe('the files of a workspace', () => {
  const write = (pod: PodIdentity, text: string): void => writeFileSync(join(filesOf(pod), 'kept'), text);
  const kept = (directory: string): string => readFileSync(join(directory, 'kept'), 'utf8');
  const killed = (pod: PodIdentity): Promise<void> => kill(processesOf(pod));
  /** As versions before this one kept a pod, whose directory held the workspace, too. */
  const asBefore = async (spec: PodSpec): Promise<void> => {
    await driver.create(spec);
    await killed(spec);
    renameSync(filesOf(spec), join(ownOf(spec), 'workspace'));
    const own = ['told', 'isolation.json', 'process.json'].map((name) => join(ownOf(spec), name));
    for (const left of [...own, join(podsDir, spec.workspaceId, 'files-of')]) rmSync(left, { recursive: true });
    execFileSync('chown', ['-R', String(process.getuid?.()), ownOf(spec)]);
  };

  it('are at the same path in every generation, which tasks see', async () => {
    const first = newSpec();
    const places: string[] = [];
    for (const spec of [first, nextGeneration(first), nextGeneration(first, 5)]) {
      const { address } = await driver.create(spec);
      const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
      await agent.resumeWork();
      await agent.runTask({ taskId: 'task_1', description: 'pwd -P; echo "$HOME"' });
      const history = await until(async () => ((await agent.history()).includes('task.ended') ? agent.history() : null));
      places.push((JSON.parse(history.trim().split('\n').at(-1)!) as { output: string }).output);
      await driver.remove(spec, { graceSeconds: 5 });
    }
    expect(places).toEqual(Array(3).fill(`${filesOf(first)}\n${filesOf(first)}\n`));
  });

  it('of a pod that died stay its own until it is removed, also when a newer one is made', async () => {
    const spec = newSpec();
    await driver.create(spec);
    write(spec, 'of the first');
    await killed(spec);
    const next = nextGeneration(spec);
    await driver.create(next);
    expect(readdirSync(filesOf(next))).not.toContain('kept');
    expect(kept(join(ownOf(spec), 'workspace'))).toBe('of the first');
    write(next, 'of the second');
    await driver.remove(spec, { graceSeconds: 0 });
    expect(kept(filesOf(next))).toBe('of the second');
    expect(await driver.inspect(next)).toMatchObject({ phase: 'running' });
    await driver.remove(next, { graceSeconds: 5 });
    expect(existsSync(filesOf(next))).toBe(false);
  });

  it('are out of reach of what a dead pod left running, before a newer one has its own there', async () => {
    const spec = newSpec();
    const { address } = await driver.create(spec);
    const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
    await agent.resumeWork();
    await agent.runTask({ taskId: 'task_1', description: `while :; do echo old > ${filesOf(spec)}/kept; sleep 0.01; done` });
    await until(() => existsSync(join(filesOf(spec), 'kept')));
    await kill([agentOf(spec)]);
    const next = nextGeneration(spec);
    await driver.create(next);
    expect(processesOf(spec)).toEqual([]);
    expect(existsSync(join(filesOf(next), 'kept'))).toBe(false);
    for (const pod of [spec, next]) await driver.remove(pod, { graceSeconds: 5 });
  });

  it('are found whatever step of making or removing a pod was the last before a crash', async () => {
    const record = (spec: PodSpec): string => join(podsDir, spec.workspaceId, 'files-of');
    const steps: Record<string, (spec: PodSpec) => void> = {
      'the record is written, the files of an older version are not moved': (spec) => {
        renameSync(filesOf(spec), join(ownOf(spec), 'workspace'));
      },
      'the files were set aside, and the pod was not removed': (spec) => {
        renameSync(filesOf(spec), join(ownOf(spec), 'workspace'));
      },
      'the own directory is lost': (spec) => rmSync(ownOf(spec), { recursive: true }),
      'the files are of a version without a record': (spec) => {
        renameSync(filesOf(spec), join(ownOf(spec), 'workspace'));
        rmSync(record(spec));
      },
    };
    for (const [step, happen] of Object.entries(steps)) {
      const spec = newSpec();
      await driver.create(spec);
      write(spec, step);
      await killed(spec);
      happen(spec);
      expect(await driver.list()).toContainEqual(expect.objectContaining({ workspaceId: spec.workspaceId, generation: 1, phase: 'dead' }));
      await driver.create(spec);
      expect(kept(filesOf(spec))).toBe(step);
      await killed(spec);
      happen(spec);
      await driver.remove(spec, { graceSeconds: 0 });
      expect(await driver.inspect(spec)).toBeNull();
      await driver.create(nextGeneration(spec));
      expect(readdirSync(filesOf(spec))).not.toContain('kept');
      await driver.remove(nextGeneration(spec), { graceSeconds: 5 });
    }
  });

  it('of a pod that an older version made and that still runs are found, saved and removed', async () => {
    const spec = newSpec();
    await asBefore(spec);
    const workspace = join(ownOf(spec), 'workspace');
    const env = { ...agentEnvironment(spec, { workspaceDir: workspace, host: '127.0.0.1', port: 0, gatewayUrl: 'http://127.0.0.1:9' }) };
    const addressFile = join(ownOf(spec), 'agent.json');
    spawn(process.execPath, [agentPath], { env: { ...env, REPRISE_ADDRESS_FILE: addressFile }, detached: true, stdio: 'ignore' }).unref();
    await until(async () => (await driver.inspect(spec))?.phase === 'running');
    writeFileSync(join(workspace, 'kept'), 'of the older version');
    const { address } = await driver.create(spec);
    const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
    await agent.resumeWork();
    await agent.quiesce('saved');
    const { stream, digest } = await agent.snapshot(LIMITS);
    const tar = await buffer(stream);
    const { sha256 } = await digest;
    await driver.remove(spec, { graceSeconds: 5 });
    expect(processesOf(spec)).toEqual([]);
    expect(existsSync(ownOf(spec))).toBe(false);
    const next = nextGeneration(spec);
    const heir = new AgentClient({ address: (await driver.create(next)).address, credentials: credentialsOf(next) });
    await heir.restore(Readable.from([tar]), { sha256 });
    expect(kept(filesOf(next))).toBe('of the older version');
    await driver.remove(next, { graceSeconds: 5 });
  });

  it('of a pod that an older version made and that died are set aside for a newer one, and removed with it', async () => {
    const spec = newSpec();
    await asBefore(spec);
    writeFileSync(join(ownOf(spec), 'workspace', 'kept'), 'of the older version');
    const next = nextGeneration(spec);
    await driver.create(next);
    expect(kept(join(ownOf(spec), 'workspace'))).toBe('of the older version');
    await driver.remove(spec, { graceSeconds: 0 });
    expect(await driver.inspect(spec)).toBeNull();
    expect(await driver.inspect(next)).toMatchObject({ phase: 'running' });
    await driver.remove(next, { graceSeconds: 5 });
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
    bundleDriver(directory);
  }
  return file;
}
