import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
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
import { AgentClient } from '../../../src/pods/agent-client';
import type { PodDriver, PodIdentity, PodSpec } from '../../../src/pods/pod-driver';
import { cgroupIn } from '../../../src/pods/process/cgroups';
import type { ProcessDriverOptions } from '../../../src/pods/process/process-pod-driver';
import { bundleAgent } from '../../testing/agent-bundle';
import { hasEnded } from '../../testing/processes';
import { until } from '../../testing/until';
import { credentialsOf } from '../../testing/workspaces';
import { DriverOfUser, ORDINARY_USER } from './driver-of-user';

// The driver runs as an ordinary user, also where the tests run as root.
export const isRoot = process.geteuid?.() === 0;
export const user = isRoot ? ORDINARY_USER : process.getuid!();
export const directory = mkdtempSync(join(tmpdir(), 'reprise-namespaces-'));
chmodSync(directory, 0o711);
export const agentPath = bundleAgent(directory);
/** The state of a server: its secrets, and in it the pods. */
export const state = ownDirectory(join(directory, 'state'));
export const home = ownDirectory(join(directory, 'home'));
export const podsDir = join(state, 'pods');
const drivers: DriverOfUser[] = [];

export function ownDirectory(path: string): string {
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, user, user);
  return path;
}

export function ownFile(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  chownSync(path, user, user);
  return path;
}

export const HAS_NAMESPACES = ((): boolean => {
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

/** Makes a cgroup that the user may divide; null where the machine has none. `end` removes it. */
export function newCgroup(): string | null {
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
}

export const newDriver = (options: Partial<ProcessDriverOptions> = {}, cgroup?: string): DriverOfUser => {
  const all = { podsDir, agentPath, gatewayUrl: 'http://127.0.0.1:9', hiddenPaths: [state], ...options };
  const driver = DriverOfUser.start(directory, all, { ...(cgroup === undefined ? {} : { cgroup }), env: { HOME: home } });
  drivers.push(driver);
  return driver;
};

export const ownOf = (pod: PodIdentity, root = podsDir): string => join(root, pod.workspaceId, String(pod.generation));
export const filesOf = (pod: PodIdentity, root = podsDir): string => join(root, pod.workspaceId, 'workspace');

export async function agentOf(driver: PodDriver, pod: PodIdentity): Promise<number> {
  return Number((await driver.inspect(pod))!.ref!.replace('pid ', ''));
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

/** By the mark, and by the namespace of whatever has it. */
export function processesOf(pod: PodIdentity): number[] {
  const mark = `/${pod.workspaceId}/${pod.generation}`;
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
      .some((entry) => entry.startsWith('REPRISE_POD=') && entry.endsWith(mark)),
  );
  const namespaces = new Set(marked.map(namespaceOf).filter((it) => it !== namespaceOf('self') && it !== ''));
  return living.filter((pid) => marked.includes(pid) || namespaces.has(namespaceOf(pid)));
}

export async function kill(killed: readonly number[]): Promise<void> {
  for (const pid of killed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // With its namespace.
    }
  }
  await until(() => killed.every(hasEnded));
}

export function underTest(root: string, options: Partial<ProcessDriverOptions>, cgroup?: string) {
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

export async function readyPod(spec: PodSpec, by: PodDriver): Promise<AgentClient> {
  const { address } = await by.create(spec);
  const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
  await agent.resumeWork();
  return agent;
}

/** Runs a script as a task of a pod and answers what it printed. */
export async function said(agent: AgentClient, description: string): Promise<string> {
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
export async function escaped(agent: AgentClient): Promise<number> {
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

/** Removes all that was made here, for an `afterAll`. */
export async function end(cgroup: string | null = null): Promise<void> {
  const clearing = newDriver({ isolation: 'environment' });
  for (const pod of await clearing.list()) await clearing.remove(pod, { graceSeconds: 0 });
  for (const driver of drivers) await driver.kill();
  if (cgroup !== null) {
    for (const name of readdirSync(cgroup)) if (name.startsWith('reprise-')) removed(join(cgroup, name));
    await until(() => removed(cgroup));
  }
  rmSync(directory, { recursive: true, force: true });
}

function removed(cgroup: string): boolean {
  try {
    rmdirSync(cgroup);
    return true;
  } catch {
    return false;
  }
}
