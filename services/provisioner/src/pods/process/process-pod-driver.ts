import { PodError, type PodDriver, type PodHandle, type PodIdentity, type PodSpec, type PodState, type RemoveOptions } from '../pod-driver';
import type { AgentMode } from '../agent-environment';
import { lastWords, startAgent } from './agent-process';
import { GrowingPause } from './growing-pause';
import type { IsolationKind } from './isolation-kinds';
import type { ViewSettings } from './namespace-view';
import { PodDirectory, type ProcessRecord } from './pod-directory';
import { weaknessOf } from './isolation-weakness';
import { PodIsolation, type IsolationFound } from './pod-isolation';
import { PodProcesses } from './pod-processes';
import type { UserSettings } from './pod-users';
import { type Launched, ProcessLauncher } from './process-launcher';
import { ProcessTable } from './process-table';
import { RemovedTrees } from './removed-trees';
import { assertIdentity, assertSpec } from '../spec-rules';
import { withLock } from './workspace-lock';

export interface ProcessDriverOptions {
  /** Where pods keep their files; absolute. Nothing else may be kept there. */
  readonly podsDir: string;
  /** The agent's bundle (runtime/agent/dist/agent.js). */
  readonly agentPath: string;
  /** Where a pod finds the gateway. */
  readonly gatewayUrl: string;
  /** The address that agents listen on; 127.0.0.1 unless told otherwise. */
  readonly host?: string;
  /** How long an agent may take until it listens. */
  readonly startTimeoutMs?: number;
  /** How long to wait for another one's work at the same workspace. */
  readonly lockTimeoutMs?: number;
  /** How pods are isolated; `auto` unless told otherwise. */
  readonly isolation?: IsolationKind | 'auto';
  /** With namespaces: further paths that pods must not see, and paths that they must see although something that holds them is hidden. */
  readonly hiddenPaths?: readonly string[];
  readonly visiblePaths?: readonly string[];
  /** The users that pods may run as, where each has one of its own. */
  readonly users?: UserSettings;
  /** Hears why the directory of a pod that is gone could not be deleted; it is tried again with each `list`. */
  readonly notDeleted?: (reason: NodeJS.ErrnoException) => void;
}

const POD_USERS: UserSettings = { count: 65_536 };

const START_TIMEOUT_MS = 15_000;
const LOCK_TIMEOUT_MS = 60_000;

/**
 * A pod is an agent process in its own session with its own directory. It outlives the provisioner, which finds it again
 * by pid and start time, or, killed before it could write these down, by the agent's environment. For one machine: every
 * provisioner of it may share the directory.
 */
export class ProcessPodDriver implements PodDriver {
  private readonly table = new ProcessTable();
  private readonly launcher = new ProcessLauncher();
  private readonly directory: PodDirectory;
  private readonly processes: PodProcesses;
  private readonly removed: RemovedTrees;
  private readonly isolation: PodIsolation;
  private readonly host: string;
  private readonly view: ViewSettings;

  constructor(private readonly options: ProcessDriverOptions) {
    this.directory = new PodDirectory(options.podsDir.replace(/\/+$/, ''));
    this.processes = new PodProcesses(this.table, this.directory, this.launcher);
    this.removed = new RemovedTrees(this.directory.removed, options.notDeleted ?? (() => undefined));
    const { isolation = 'auto', users = POD_USERS, agentPath, hiddenPaths: hidden = [], visiblePaths: visible = [] } = options;
    this.view = { podsDir: this.directory.path, agentPath, hidden, visible };
    this.isolation = new PodIsolation({ wanted: isolation, users, view: this.view }, this.directory, this.table);
    this.host = options.host ?? '127.0.0.1';
  }

  /** How new pods are isolated on this machine. @throws PodError `denied` where what was wanted does not work here */
  isolates(): Promise<IsolationFound> {
    return answering(() => this.isolation.find());
  }

  async weakness(): Promise<string | null> {
    // Who chose a weaker way by name knows what it is.
    const { isolation = 'auto' } = this.options;
    return isolation === 'auto' ? weaknessOf(await this.isolates()) : null;
  }

  async create(spec: PodSpec): Promise<PodHandle> {
    assertSpec(spec);
    return this.alone(spec, async () => {
      const newest = await this.assertNotFenced(spec);
      // The fence is raised before an agent is started: none of a generation beyond it lives.
      const alive = newest === spec.generation ? await this.processes.agentOf(spec) : null;
      if (alive) return this.listening(spec, alive);
      // An agent that died may have left its tasks behind: they are the old run's, not the new one's, and they know where its files will be.
      for (const dead of await this.directory.pods(spec.workspaceId)) {
        await this.processes.end(dead, 0);
        await this.directory.forgetUser(dead);
      }
      await this.directory.raiseGeneration(spec);
      return this.start(spec);
    });
  }

  async salvage(spec: PodSpec): Promise<PodHandle> {
    assertSpec(spec);
    return this.alone(spec, async () => {
      await this.assertNoOtherLives(spec);
      if ((await this.directory.filesOf(spec)) === null) throw new PodError('nothing_left', 'its directory is gone');
      const agent = await this.processes.agentOf(spec);
      if (agent && (await this.processes.isSalvaging(agent))) return this.listening(spec, agent);
      // What a dead agent left running would go on writing, and an agent that does not answer is as good as dead.
      await this.processes.end(spec, 0);
      return this.start(spec, 'salvage');
    });
  }

  async remove(pod: PodIdentity, { graceSeconds }: RemoveOptions): Promise<void> {
    assertIdentity(pod);
    await this.alone(pod, async () => {
      await this.processes.end(pod, graceSeconds * 1000);
      await this.isolation.clear(pod);
      await this.removeDirectory(pod).catch((error: unknown) => {
        throw new PodError('not_removed', `cannot remove its directory: ${String((error as NodeJS.ErrnoException).code)}`, {
          cause: error,
        });
      });
    });
  }

  async inspect(pod: PodIdentity): Promise<PodState | null> {
    assertIdentity(pod);
    return answering(async () => {
      const agent = await this.processes.agentOf(pod);
      if (!agent && !(await this.directory.exists(pod))) return null;
      return this.stateOf(pod, agent?.pid ?? null);
    });
  }

  async list(): Promise<PodState[]> {
    this.removed.deleteSoon();
    return answering(async () => {
      const agents = new Map((await this.processes.agents()).map(({ pod, pid }) => [key(pod), { pod, pid }]));
      const pods = new Map((await this.directory.pods()).map((pod) => [key(pod), pod]));
      for (const [name, { pod }] of agents) pods.set(name, pod);
      return Promise.all([...pods].map(([name, pod]) => this.stateOf(pod, agents.get(name)?.pid ?? null)));
    });
  }

  fences(): Promise<PodIdentity[]> {
    return answering(() => this.directory.newestGenerations());
  }

  private async removeDirectory(pod: PodIdentity): Promise<void> {
    await this.directory.setAside(pod);
    await this.removed.remove(this.directory.of(pod));
  }

  /** Resolves with the newest generation ever created. */
  private async assertNotFenced(spec: PodSpec): Promise<number> {
    const newest = await this.directory.newestGeneration(spec.workspaceId);
    if (newest > spec.generation) throw new PodError('stale_generation', `generation ${newest} was created before`);
    await this.assertNoOtherLives(spec);
    return newest;
  }

  private async assertNoOtherLives(spec: PodIdentity): Promise<void> {
    const others = (await this.directory.pods(spec.workspaceId)).filter((it) => it.generation !== spec.generation);
    for (const other of others) {
      if (!(await this.processes.agentOf(other))) continue;
      const older = other.generation < spec.generation;
      throw new PodError(older ? 'older_pod_alive' : 'stale_generation', `the pod of generation ${other.generation} lives`);
    }
  }

  private async start(spec: PodSpec, mode?: AgentMode): Promise<PodHandle> {
    const isolation = await this.isolation.of(spec);
    await this.directory.prepare(spec, isolation);
    const { host, view } = this;
    const program = { ...this.options, host, view };
    const started = await startAgent(spec, program, this.directory, isolation, this.launcher, mode);
    const until = Date.now() + (this.options.startTimeoutMs ?? START_TIMEOUT_MS);
    const agent = isolation.by === 'namespace' ? await this.within(spec, started, until) : this.recordOf(started.pid);
    if (agent !== null) await this.directory.recordProcess(spec, agent);
    return this.listening(spec, agent, started.exited, until);
  }

  /** Null where it has ended already. */
  private recordOf(pid: number): ProcessRecord | null {
    const start = this.table.startOf(pid);
    return start === null ? null : { pid, start };
  }

  /** Waits until the agent is there within namespaces that have just been made. */
  private async within(spec: PodSpec, { pid, exited }: Launched, until: number): Promise<ProcessRecord> {
    const ending = watched(exited);
    const pause = new GrowingPause();
    for (;;) {
      const agent = await this.processes.agentWithin(pid, spec);
      if (agent !== null) return agent;
      if (ending.how !== undefined) throw new PodError('start_failed', `${ending.how}: ${await lastWords(this.directory, spec)}`);
      if (Date.now() > until) throw await this.tooLate(spec);
      await pause.next();
    }
  }

  private async tooLate(spec: PodSpec): Promise<PodError> {
    await this.processes.end(spec, 0);
    return new PodError('start_timeout', `the agent did not listen in time: ${await lastWords(this.directory, spec)}`);
  }

  /** Waits until this agent has told its address. One that does not in time is ended: it would never. */
  private async listening(
    spec: PodSpec,
    agent: ProcessRecord | null,
    exited?: Promise<string>,
    until = Date.now() + (this.options.startTimeoutMs ?? START_TIMEOUT_MS),
  ): Promise<PodHandle> {
    const ending = watched(exited);
    const pause = new GrowingPause();
    for (;;) {
      // Asked often: so it is asked without the thread pool whether there is anything to read.
      const hasTold = agent !== null && this.directory.hasAddress(spec);
      const address = hasTold ? await this.addressOf(spec, agent.pid) : null;
      if (address !== null) return { workspaceId: spec.workspaceId, generation: spec.generation, address };
      const how = ending.how ?? (agent !== null && this.processes.lives(agent) ? undefined : 'the agent ended');
      if (how !== undefined) throw new PodError('start_failed', `${how}: ${await lastWords(this.directory, spec)}`);
      if (Date.now() > until) throw await this.tooLate(spec);
      await pause.next();
    }
  }

  private async stateOf(pod: PodIdentity, pid: number | null): Promise<PodState> {
    const identity = { workspaceId: pod.workspaceId, generation: pod.generation };
    const salvageable = (await this.directory.filesOf(pod)) !== null;
    if (pid === null) return { ...identity, phase: 'dead', address: null, ref: null, salvageable, end: null };
    const address = await this.addressOf(pod, pid);
    return { ...identity, phase: address === null ? 'starting' : 'running', address, ref: `pid ${pid}`, salvageable, end: null };
  }

  /** Null until it has told it. An address of another pid is what an agent before this one left. It writes what it calls itself. */
  private async addressOf(pod: PodIdentity, pid: number): Promise<string | null> {
    const told = await this.directory.address(pod);
    return told !== null && told.pid === this.table.idsOf(pid).at(-1) ? `http://${this.host}:${told.port}` : null;
  }

  /** One at a time a workspace, on this whole machine. */
  private alone<T>(pod: PodIdentity, act: () => Promise<T>): Promise<T> {
    const patience = this.options.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
    return answering(() => withLock(this.directory.lockOf(pod.workspaceId), this.table, patience, act));
  }
}

/** How a process has ended, once it has. */
function watched(exited: Promise<string> | undefined): { how?: string } {
  const ending: { how?: string } = {};
  exited?.then(
    (how) => (ending.how = `the agent ended with ${how}`),
    () => undefined,
  );
  return ending;
}

function key(pod: PodIdentity): string {
  return `${pod.workspaceId}/${pod.generation}`;
}

const REASONS: Readonly<Record<string, 'no_space' | 'denied'>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'no_space',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
};

/** Whatever the operating system refuses, as an error of the port. */
async function answering<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof PodError) throw error;
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    // The code only: the message holds paths of this machine.
    const detail = code === undefined ? message : `${syscall ?? 'system call'}: ${code}`;
    throw new PodError(REASONS[code ?? ''] ?? 'unavailable', detail, { cause: error });
  }
}
