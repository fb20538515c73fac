import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClient } from '../../src/pods/agent-client';
import type { PodDriver, PodIdentity, PodSpec } from '../../src/pods/pod-driver';
import { cgroupIn } from '../../src/pods/process/cgroups';
import { type ProcessDriverOptions, ProcessPodDriver } from '../../src/pods/process/process-pod-driver';
import { bundleAgent } from '../testing/agent-bundle';
import { LIMITS } from '../testing/limits';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';
import { keepsThePromisesOfAPodDriver } from './conformance';
import { DriverOfUser, ORDINARY_USER } from './support/driver-of-user';

// The driver runs as an ordinary user, also where the tests run as root.
const isRoot = process.geteuid?.() === 0;
const user = isRoot ? ORDINARY_USER : process.getuid!();
const directory = mkdtempSync(join(tmpdir(), 'reprise-namespaces-'));
chmodSync(directory, 0o711);
const agentPath = bundleAgent(directory);
/** The state of a server: its secrets, and in it the pods. */
const state = ownDirectory(join(directory, 'state'));
const home = ownDirectory(join(directory, 'home'));
const podsDir = join(state, 'pods');
const drivers: DriverOfUser[] = [];

function ownDirectory(path: string): string {
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, user, user);
  return path;
}

function ownFile(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  chownSync(path, user, user);
  return path;
}

const HAS_NAMESPACES = ((): boolean => {
  const asUser = isRoot ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'] : [];
  const namespaces = ['--user', '--map-current-user', '--keep-caps', '--pid', '--ipc', '--mount', '--mount-proc', '--fork'];
  const [file = '', ...args] = [...asUser, 'unshare', ...namespaces, 'true'];
  try {
    execFileSync(file, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** A cgroup that the user may divide; null where the machine has none. */
const CGROUP = ((): string | null => {
  const own = cgroupIn(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'));
  if (own === null || !isRoot) return null;
  const path = join(own, `reprise-test-${randomUUID()}`);
  try {
    mkdirSync(path);
    for (const it of [path, join(path, 'cgroup.procs')]) chownSync(it, user, user);
    return path;
  } catch {
    return null;
  }
})();

const newDriver = (options: Partial<ProcessDriverOptions> = {}, cgroup?: string): DriverOfUser => {
  const all = { podsDir, agentPath, gatewayUrl: 'http://127.0.0.1:9', hiddenPaths: [state], ...options };
  const driver = DriverOfUser.start(directory, all, { ...(cgroup === undefined ? {} : { cgroup }), env: { HOME: home } });
  drivers.push(driver);
  return driver;
};

const ownOf = (pod: PodIdentity, root = podsDir): string => join(root, pod.workspaceId, String(pod.generation));
const filesOf = (pod: PodIdentity, root = podsDir): string => join(root, pod.workspaceId, 'workspace');

async function agentOf(driver: PodDriver, pod: PodIdentity): Promise<number> {
  return Number((await driver.inspect(pod))!.ref!.replace('pid ', ''));
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

function hasEnded(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z');
  } catch {
    return true;
  }
}

/** By the mark, and by the namespace of whatever has it. */
function processesOf(pod: PodIdentity): number[] {
  const mark = `REPRISE_POD=${pod.workspaceId}/${pod.generation}`;
  const read = <T>(otherwise: T, look: () => T): T => {
    try {
      return look();
    } catch {
      return otherwise;
    }
  };
  const namespaceOf = (pid: number | 'self'): string => read('', () => readlinkSync(`/proc/${pid}/ns/pid`));
  const living = pids().filter((pid) => !hasEnded(pid));
  const marked = living.filter((pid) =>
    read('', () => readFileSync(`/proc/${pid}/environ`, 'utf8'))
      .split('\0')
      .includes(mark),
  );
  const namespaces = new Set(marked.map(namespaceOf).filter((it) => it !== namespaceOf('self') && it !== ''));
  return living.filter((pid) => marked.includes(pid) || namespaces.has(namespaceOf(pid)));
}

async function kill(killed: readonly number[]): Promise<void> {
  for (const pid of killed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // With its namespace.
    }
  }
  await until(() => killed.every(hasEnded));
}

function underTest(root: string, options: Partial<ProcessDriverOptions>, cgroup?: string) {
  const driver = newDriver({ podsDir: root, ...options }, cgroup);
  return Promise.resolve({
    driver,
    another: newDriver({ podsDir: root, ...options }, cgroup),
    crash: async (pod: PodIdentity) => kill([await agentOf(driver, pod)]),
    hasProcesses: (pod: PodIdentity) => Promise.resolve(processesOf(pod).length > 0),
    takeAway: async (pod: PodIdentity) => {
      await kill(processesOf(pod));
      for (const path of [ownOf(pod, root), filesOf(pod, root)]) rmSync(path, { recursive: true });
    },
    withAgent: (program: string, more: { startTimeoutMs: number }) => {
      const file = join(directory, `agent-${randomUUID()}.js`);
      writeFileSync(file, program);
      return Promise.resolve(newDriver({ podsDir: root, agentPath: file, ...options, ...more }, cgroup));
    },
  });
}

async function readyPod(spec: PodSpec, by: PodDriver): Promise<AgentClient> {
  const { address } = await by.create(spec);
  const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
  await agent.resumeWork();
  return agent;
}

/** Runs a script as a task of a pod and answers what it printed. */
async function said(agent: AgentClient, description: string): Promise<string> {
  const taskId = `task_${randomUUID()}`;
  await agent.runTask({ taskId, description });
  const end = await until(async () => {
    const lines = (await agent.history()).trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { type: string; task_id?: string; output?: string });
    return events.find((event) => event.type === 'task.ended' && event.task_id === taskId);
  });
  await until(async () => (await agent.health()).taskId === null);
  return end.output ?? '';
}

/** A process that has left its session, its directory, its parent and its environment, and goes on writing; by its name for this machine. */
async function escaped(agent: AgentClient): Promise<number> {
  const name = `of-${randomUUID()}`;
  const daemon = `cd /; exec -a ${name} bash -c "trap \\"\\" TERM HUP; while :; do sleep 0.1; done"`;
  await said(agent, `setsid env -i bash -c '(${daemon}) &' </dev/null >/dev/null 2>&1 &`);
  const isIt = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`${name}\0`);
    } catch {
      return false;
    }
  };
  return until(() => pids().find(isIt));
}

afterAll(async () => {
  const clearing = newDriver({ isolation: 'environment' });
  for (const pod of await clearing.list()) await clearing.remove(pod, { graceSeconds: 0 });
  for (const driver of drivers) await driver.kill();
  if (CGROUP !== null) for (const name of readdirSync(CGROUP)) if (name.startsWith('reprise-')) removed(join(CGROUP, name));
  if (CGROUP !== null) await until(() => removed(CGROUP));
  rmSync(directory, { recursive: true, force: true });
});

function removed(cgroup: string): boolean {
  try {
    rmdirSync(cgroup);
    return true;
  } catch {
    return false;
  }
}

const withNamespaces = HAS_NAMESPACES ? describe : describe.skip;
const withCgroup = CGROUP !== null ? describe : describe.skip;

withNamespaces('the process driver as an ordinary user, with namespaces', () => {
  keepsThePromisesOfAPodDriver(() => underTest(join(state, 'conform'), { isolation: 'namespace' }), ['bounds', 'salvage']);
});

withNamespaces('a pod in namespaces of its own', () => {
  let driver: DriverOfUser;
  beforeAll(() => {
    driver = newDriver();
  });

  it('is what the driver decides for as an ordinary user', async () => {
    expect(await driver.isolates()).toEqual({ kind: 'namespace', refused: ['user: the provisioner is not root'] });
  });

  it('ends what dropped its environment, session, directory and parent: at quiesce and at removal', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    const first = await escaped(agent);
    await agent.quiesce('saved');
    expect(hasEnded(first)).toBe(true);
    await agent.resumeWork();
    const second = await escaped(agent);
    await driver.remove(spec, { graceSeconds: 1 });
    expect(hasEnded(second)).toBe(true);
    expect(processesOf(spec)).toEqual([]);
    expect(existsSync(ownOf(spec))).toBe(false);
  });

  it('ends it also where the agent was killed: with it everything in the namespace', async () => {
    const spec = newSpec();
    const pid = await escaped(await readyPod(spec, driver));
    await kill([await agentOf(driver, spec)]);
    await until(() => hasEnded(pid));
    expect(await driver.inspect(spec)).toMatchObject({ phase: 'dead', salvageable: true });
    await driver.remove(spec, { graceSeconds: 0 });
  });

  it('is ended although it forks all the time, and makes namespaces of its own', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    const script = `f() { setsid sh -c "sleep 0.05" & }; trap "" TERM; unshare --user --pid --fork sh -c 'trap "" TERM; while :; do sleep 0.1; done' &
      while :; do f; f; sleep 0.01; done`;
    await agent.runTask({ taskId: 'task_1', description: script });
    await until(async () => (await agent.health()).taskId === 'task_1');
    await driver.remove(spec, { graceSeconds: 0 });
    expect(processesOf(spec)).toEqual([]);
  });

  it('is adopted by the next provisioner by the id that the machine has for its agent, and carried through to its end', async () => {
    const first = newDriver();
    const spec = newSpec();
    const agent = await readyPod(spec, first);
    await said(agent, 'echo kept > file');
    const before = await first.inspect(spec);
    expect(Number(before!.ref!.replace('pid ', ''))).toBeGreaterThan(
      (JSON.parse(readFileSync(join(ownOf(spec), 'told', 'agent.json'), 'utf8')) as { pid: number }).pid,
    );
    await first.kill();
    const next = newDriver();
    expect(await next.inspect(spec)).toEqual(before);
    expect(await next.list()).toContainEqual(before);
    expect((await next.create(spec)).address).toBe(before!.address);
    // Also where the first one was killed before it wrote down which process it is.
    rmSync(join(ownOf(spec), 'process.json'));
    expect(await newDriver().inspect(spec)).toEqual(before);
    await agent.quiesce('saved');
    const { digest, stream } = await agent.snapshot(LIMITS);
    stream.resume();
    await digest;
    await next.remove(spec, { graceSeconds: 5 });
    expect(processesOf(spec)).toEqual([]);
  });

  it('has its workspace at the same path in every generation, which is that of the machine', async () => {
    const first = newSpec();
    for (const spec of [first, nextGeneration(first)]) {
      const agent = await readyPod(spec, driver);
      expect(await said(agent, 'pwd -P; echo "$HOME"; echo x > file')).toBe(`${filesOf(first)}\n${filesOf(first)}\n`);
      expect(readFileSync(join(filesOf(first), 'file'), 'utf8')).toBe('x\n');
      await driver.remove(spec, { graceSeconds: 5 });
    }
  });

  it('reads, changes and signals nothing of the server, of the user, or of another pod', async () => {
    const [spec, other] = [newSpec(), newSpec()];
    const agent = await readyPod(spec, driver);
    await readyPod(other, driver);
    const secret = ownFile(join(state, 'env'), 'of Reprise');
    const ofUser = ownFile(join(home, 'id_ed25519'), 'of the user');
    const temporary = ownFile(join(tmpdir(), `reprise-${randomUUID()}`), 'of another program');
    writeFileSync(join(filesOf(other), 'file'), 'of another tenant');
    const forbidden = [
      ...[secret, ofUser, temporary, join(filesOf(other), 'file'), join(ownOf(other), 'told', 'agent.json')].map((file) => `cat ${file}`),
      `cat ${join(ownOf(spec), 'process.json')}`,
      `ls ${join(podsDir, other.workspaceId)}`,
      `ls ${ownOf(spec)}/agent.log`,
      `touch ${agentPath}`,
      'touch /made',
      `umount ${podsDir}`,
      'umount /tmp',
      'unshare --user --map-root-user --mount umount /tmp',
      'unshare --user --map-root-user --mount umount -l /tmp',
      'unshare --user --map-root-user --mount mount -o remount,bind,rw /',
      ...['cat', 'ls'].flatMap((look) => [
        `${look} /proc/1/root${secret}`,
        `${look} /proc/1/cwd/..${secret}`,
        `${look} /proc/self/cwd/../../env`,
      ]),
      `cat /proc/${await agentOf(driver, other)}/environ`,
      `kill -0 ${await agentOf(driver, other)}`,
      `kill -KILL ${process.pid}`,
      'kill -KILL 1 && ! kill -0 1',
    ];
    const attempts = forbidden.map((command) => `if (${command}) >/dev/null 2>&1; then echo '${command.replaceAll("'", '')}'; fi`);
    expect(await said(agent, [...attempts, 'echo end'].join('\n'))).toBe('end\n');
    // Where the state is in a directory for temporary files, the pod has its own in its place.
    await said(agent, `touch ${join(podsDir, 'made')} ${join(state, 'made')}; true`);
    for (const parent of [podsDir, state]) expect(existsSync(join(parent, 'made'))).toBe(false);
    expect(await said(agent, 'touch allowed /tmp/allowed && cat /tmp/allowed && echo done')).toBe('done\n');
    const told = await said(
      agent,
      'grep -E "^(NoNewPrivs|Cap)" /proc/self/status | sort | uniq -c | grep -vc 0000000000000000; id -u; ls /proc | grep -c "^[0-9]"',
    );
    const [others, uid, seen] = told.trim().split('\n').map(Number);
    expect([others, uid]).toEqual([1, user]);
    expect(seen).toBeLessThan(10);
    rmSync(temporary);
    for (const pod of [spec, other]) await driver.remove(pod, { graceSeconds: 5 });
  });

  it('leaves no orphan unreaped: the first process of the namespace looks after them', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    await said(agent, 'for n in 1 2 3 4 5 6 7 8; do (setsid true &); done');
    const zombies = async (): Promise<string> => said(agent, 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l');
    await until(async () => (await zombies()).trim() === '0');
    await driver.remove(spec, { graceSeconds: 5 });
  });

  it('sees what is named although something that holds it is hidden, and cannot change it', async () => {
    const tools = ownDirectory(join(home, 'tools'));
    ownFile(join(tools, 'tool'), 'a tool');
    const seeing = newDriver({ visiblePaths: [tools] });
    const spec = newSpec();
    const agent = await readyPod(spec, seeing);
    expect(await said(agent, `cat ${join(tools, 'tool')}; ls ${home}; touch ${join(tools, 'x')} 2>/dev/null || echo " closed"`)).toBe(
      'a tooltools\n closed\n',
    );
    await seeing.remove(spec, { graceSeconds: 5 });
  });

  it('is refused where it is asked for and cannot be had', async () => {
    const none = newDriver({ isolation: 'namespace', agentPath: join(directory, 'none.js') });
    await expect(none.isolates()).rejects.toMatchObject({ reason: 'denied', detail: expect.stringContaining('namespace:') });
    if (!isRoot) return;
    const asRoot = new ProcessPodDriver({
      podsDir: join(directory, 'root'),
      agentPath,
      gatewayUrl: 'http://127.0.0.1:9',
      isolation: 'namespace',
    });
    await expect(asRoot.isolates()).rejects.toMatchObject({ reason: 'denied', detail: expect.stringContaining('is root') });
  });
});

withCgroup('the process driver as an ordinary user, with cgroups (needs root: one is given to the user)', () => {
  keepsThePromisesOfAPodDriver(() => underTest(join(state, 'grouped'), { isolation: 'cgroup' }, CGROUP!), ['bounds', 'salvage']);
});

withCgroup('a pod in a cgroup of its own (needs root: one is given to the user)', () => {
  it('ends what dropped its environment, session, directory and parent: at quiesce and at removal', async () => {
    const driver = newDriver({ isolation: 'cgroup', podsDir: join(state, 'escape') }, CGROUP!);
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    const first = await escaped(agent);
    await agent.quiesce('saved');
    expect(hasEnded(first)).toBe(true);
    await agent.resumeWork();
    const second = await escaped(agent);
    await driver.remove(spec, { graceSeconds: 1 });
    expect(hasEnded(second)).toBe(true);
    expect(existsSync(join(CGROUP!, `reprise-${spec.workspaceId}-1`))).toBe(false);
  });
});
