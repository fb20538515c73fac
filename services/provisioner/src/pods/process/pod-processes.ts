import { setTimeout as sleep } from 'node:timers/promises';
import { PodError, type PodIdentity } from '../pod-driver';
import { asUser } from './as-user';
import { killCgroup, processesIn, removeCgroup } from './cgroups';
import { GrowingPause } from './growing-pause';
import type { Isolation } from './isolation-kinds';
import type { PodDirectory, ProcessRecord } from './pod-directory';
import type { ProcessLauncher } from './process-launcher';
import type { ProcessInfo, ProcessTable } from './process-table';

/** Between two looks at all processes of the machine. */
const LOOK_AGAIN_MS = 20;
/** SIGKILL cannot be ignored, but a process in an uninterruptible wait takes it late. */
const KILLED_WITHIN_MS = 10_000;

/** Finds the processes of pods among all of the machine's, and ends them. */
export class PodProcesses {
  constructor(
    private readonly table: ProcessTable,
    private readonly directory: PodDirectory,
    private readonly launcher: ProcessLauncher,
  ) {}

  /**
   * The pod's agent, if it lives: the one on record, or, where none is recorded, the one that has its address file. A record is removed before another agent is
   * started, so no other one lives beside it.
   */
  async agentOf(pod: PodIdentity): Promise<ProcessRecord | null> {
    const record = await this.directory.recordedProcess(pod);
    if (record !== null) return this.lives(record) ? record : null;
    const isolation = await this.directory.isolationOf(pod);
    const candidates = (await this.candidates(pod, isolation)).filter((it) => isSame(this.agentsPod(it), pod));
    // The agent was there before everything that it started, whatever that pretends to be.
    return candidates.sort((one, other) => ticksOf(one) - ticksOf(other))[0] ?? null;
  }

  /** Where the agent may be among. */
  private async candidates(pod: PodIdentity, isolation: Isolation): Promise<readonly ProcessInfo[]> {
    switch (isolation.by) {
      case 'user':
        return this.table.ofUser(isolation.uid);
      case 'cgroup':
        return this.table.of(await processesIn(isolation.directory));
      case 'namespace':
        return (await Promise.all((await this.outer(pod)).map(({ pid }) => this.table.childrenOf(pid)))).flat();
      case 'environment':
        return this.table.all();
    }
  }

  /** The agent that this process has just started, in namespaces of its own, and what these live and die with; null where it has not come so far yet. */
  async agentWithin(launcher: number, pod: PodIdentity): Promise<ProcessRecord | null> {
    const start = this.table.startOf(launcher);
    for (const first of await this.table.childrenOf(launcher)) {
      const found = (await this.table.childrenOf(first.pid)).find((it) => isSame(this.agentsPod(it), pod));
      if (found && start !== null) return { ...recordOf(found), outer: [{ pid: launcher, start }, recordOf(first)] };
    }
    return null;
  }

  /** Whether this process of a pod is an agent that serves what the pod has left. */
  async isSalvaging({ pid }: ProcessRecord): Promise<boolean> {
    return (await this.table.of([pid])).some((it) => it.env.get('REPRISE_MODE') === 'salvage');
  }

  /** Every agent of this directory that lives, also one that was never recorded. */
  async agents(): Promise<{ pod: PodIdentity; pid: number }[]> {
    const all = await this.table.all();
    const found = await Promise.all(
      all.map(async (it) => {
        const pod = this.agentsPod(it);
        return pod !== null && (await this.isOf(it, pod, all)) ? [{ pod, pid: it.pid }] : [];
      }),
    );
    return found.flat();
  }

  /** Whether a process that says so is of this pod: another pod's could say it, too. */
  private async isOf({ pid, parent }: ProcessInfo, pod: PodIdentity, all: readonly ProcessInfo[]): Promise<boolean> {
    const isolation = await this.directory.isolationOf(pod);
    switch (isolation.by) {
      case 'user':
        return this.table.isOfUser(pid, isolation.uid);
      case 'cgroup':
        return (await processesIn(isolation.directory)).includes(pid);
      case 'namespace': {
        const mark = await this.directory.markOf(pod);
        return all.some((it) => it.pid === parent && this.isFirstWithin(it) && it.env.get('REPRISE_POD') === mark);
      }
      case 'environment':
        return true;
    }
  }

  private agentsPod({ env }: ProcessInfo): PodIdentity | null {
    return this.directory.podAt(env.get('REPRISE_ADDRESS_FILE') ?? '');
  }

  /**
   * Ends all processes of a pod: the agent is asked to, and given the grace to end its tasks; then everything that is
   * left is killed. Resolves once none is left.
   * @throws PodError `not_removed`
   */
  async end(pod: PodIdentity, graceMs: number): Promise<void> {
    const sessions = new Set<number>();
    const agent = await this.agentOf(pod);
    // What loses its mark with the agent's end is known by its session.
    if ((await this.directory.isolationOf(pod)).by === 'environment') await this.find(pod, sessions);
    if (agent) await this.endGently(agent, graceMs);
    for (const until = Date.now() + KILLED_WITHIN_MS; ;) {
      const left = await this.find(pod, sessions);
      if (left.length === 0) return this.cleanUp(pod);
      if (Date.now() > until) {
        throw new PodError('not_removed', `processes outlived SIGKILL: ${left.map((it) => it.pid).join(', ')}`);
      }
      // Each time again: one that was being killed may have forked just before.
      for (const { pid } of left) send(pid, 'SIGKILL');
      await this.killAll(pod);
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** Asks it to end, and waits for as long as it may take; whatever is left after that is the caller's. */
  private async endGently(agent: ProcessRecord, graceMs: number): Promise<void> {
    if (this.lives(agent)) send(agent.pid, 'SIGTERM');
    const pause = new GrowingPause();
    for (const until = Date.now() + graceMs; Date.now() < until && this.lives(agent);) await pause.next(until - Date.now());
  }

  /** The same pid may have become another's. */
  lives({ pid, start }: ProcessRecord): boolean {
    return this.table.startOf(pid) === start;
  }

  /** All at one instant, which a process that forks all the time does not outrun. Namespaces end with their first process. */
  private async killAll(pod: PodIdentity): Promise<void> {
    const isolation = await this.directory.isolationOf(pod);
    if (isolation.by === 'cgroup') await killCgroup(isolation.directory);
    if (isolation.by !== 'user') return;
    const command = asUser(isolation.uid, ['/bin/sh', '-c', 'kill -s KILL -- -1']);
    const env = { PATH: process.env.PATH ?? '' };
    // It ends itself as well; where it could not be started, the next look sees what is left.
    await this.launcher.run({ command, cwd: '/', env, logFile: null }).catch(() => undefined);
  }

  private async cleanUp(pod: PodIdentity): Promise<void> {
    const isolation = await this.directory.isolationOf(pod);
    if (isolation.by === 'cgroup') await removeCgroup(isolation.directory);
  }

  /**
   * What a pod's namespaces live and die with: the process outside, which made them, and the first one within. No process of a pod can be either: those have
   * an id of their own in more namespaces, and the first of them is ours.
   */
  private async outer(pod: PodIdentity): Promise<ProcessRecord[]> {
    const outer = (await this.directory.recordedProcess(pod))?.outer;
    if (outer !== undefined) return outer.filter((it) => this.lives(it));
    const mark = await this.directory.markOf(pod);
    const marked = (await this.table.all()).filter(({ env }) => env.get('REPRISE_POD') === mark);
    return marked.filter((it) => this.table.idsOf(it.pid).length === 1 || this.isFirstWithin(it));
  }

  /** Whether it is the first process of a namespace that is right below ours. */
  private isFirstWithin({ pid }: ProcessInfo): boolean {
    const ids = this.table.idsOf(pid);
    return ids.length === 2 && ids[1] === 1;
  }

  /** The pod's processes, or those that all others of it end with. */
  private async find(pod: PodIdentity, sessions: Set<number>): Promise<readonly ProcessRecord[]> {
    const isolation = await this.directory.isolationOf(pod);
    switch (isolation.by) {
      case 'user':
        return this.table.ofUser(isolation.uid);
      case 'cgroup':
        return this.table.of(await processesIn(isolation.directory));
      case 'namespace':
        return this.outer(pod);
      case 'environment':
        return this.findByEnvironment(pod, sessions);
    }
  }

  /**
   * Those that carry its mark; those in a session of one that does or did (they may have dropped their environment); those that work in its directories
   * (they may have left the session as well) and have no terminal: someone who looks around there in a shell is not of the pod.
   */
  private async findByEnvironment(pod: PodIdentity, sessions: Set<number>): Promise<ProcessInfo[]> {
    const mark = await this.directory.markOf(pod);
    const all = await this.table.all();
    const own = all.find((it) => it.pid === process.pid);
    const inside = [this.directory.of(pod), await this.directory.filesOf(pod)].flatMap((path) => (path === null ? [] : [`${path}/`]));
    for (const it of all) if (it.env.get('REPRISE_POD') === mark) sessions.add(it.session);
    return all.filter(
      (it) =>
        it.session !== own?.session &&
        (sessions.has(it.session) || (!it.hasTerminal && inside.some((path) => `${it.cwd ?? ''}/`.startsWith(path)))),
    );
  }
}

function recordOf({ pid, start }: ProcessInfo): ProcessRecord {
  return { pid, start };
}

/** When it was started, for comparing processes of one boot. */
function ticksOf({ start }: ProcessInfo): number {
  return Number(start.split(':').at(-1));
}

function isSame(one: PodIdentity | null, other: PodIdentity): boolean {
  return one?.workspaceId === other.workspaceId && one.generation === other.generation;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Gone already, or not ours to end: whoever looks next sees which.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
