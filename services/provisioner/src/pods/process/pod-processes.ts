import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { markOf } from '../agent-environment';
import { PodError, type PodIdentity } from '../pod-driver';
import { asUser } from './as-user';
import type { PodDirectory, ProcessRecord } from './pod-directory';
import type { ProcessInfo, ProcessTable } from './process-table';

const POLL_MS = 5;
/** Between two looks at all processes of the machine. */
const LOOK_AGAIN_MS = 20;
/** SIGKILL cannot be ignored, but a process in an uninterruptible wait takes it late. */
const KILLED_WITHIN_MS = 10_000;

/** Finds the processes of pods among all of the machine's, and ends them. */
export class PodProcesses {
  constructor(
    private readonly table: ProcessTable,
    private readonly directory: PodDirectory,
  ) {}

  /** The pod's agent, if it lives: the one on record, or, where none was recorded any more, the one that has its address file. */
  async agentOf(pod: PodIdentity): Promise<ProcessRecord | null> {
    const record = await this.directory.recordedProcess(pod);
    if (record !== null && this.table.startOf(record.pid) === record.start) return record;
    const isolation = await this.directory.isolationOf(pod);
    const all = isolation.by === 'user' ? await this.table.ofUser(isolation.uid) : await this.table.all();
    return all.find((it) => isSame(this.agentsPod(it), pod)) ?? null;
  }

  /** Whether this process of a pod is an agent that serves what the pod has left. */
  async isSalvaging({ pid }: ProcessRecord): Promise<boolean> {
    return (await this.table.all()).some((it) => it.pid === pid && it.env.get('REPRISE_MODE') === 'salvage');
  }

  /** Every agent of this directory that lives, also one that was never recorded. */
  async agents(): Promise<{ pod: PodIdentity; pid: number }[]> {
    return (await this.table.all()).flatMap((it) => {
      const pod = this.agentsPod(it);
      return pod ? [{ pod, pid: it.pid }] : [];
    });
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
    await this.find(pod, sessions);
    if (agent) await this.endGently(agent, graceMs);
    for (const until = Date.now() + KILLED_WITHIN_MS; ;) {
      const left = await this.find(pod, sessions);
      if (left.length === 0) return;
      if (Date.now() > until) {
        throw new PodError('not_removed', `processes outlived SIGKILL: ${left.map((it) => it.pid).join(', ')}`);
      }
      // Each time again: one that was being killed may have forked just before.
      for (const { pid } of left) send(pid, 'SIGKILL');
      await this.killUser(pod);
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** Asks it to end, and waits for as long as it may take; whatever is left after that is the caller's. */
  private async endGently({ pid, start }: ProcessRecord, graceMs: number): Promise<void> {
    // The same pid may have become another's.
    const lives = (): boolean => this.table.startOf(pid) === start;
    if (lives()) send(pid, 'SIGTERM');
    for (const until = Date.now() + graceMs; Date.now() < until && lives();) await sleep(POLL_MS);
  }

  /** All at one instant, which a process that forks all the time does not outrun. */
  private async killUser(pod: PodIdentity): Promise<void> {
    const isolation = await this.directory.isolationOf(pod);
    if (isolation.by !== 'user') return;
    const [program, ...args] = asUser(isolation.uid, ['/bin/sh', '-c', 'kill -s KILL -- -1']);
    const killer = spawn(program, args, { stdio: 'ignore', cwd: '/' });
    // It ends itself as well; where it could not be started, the next look sees what is left.
    await once(killer, 'exit').catch(() => undefined);
  }

  /**
   * The pod's processes. Where it has a user of its own: all that run as that. Otherwise those that carry its mark; those in a
   * session of one that does or did (they may have dropped their environment); those that work in its directories (they may have
   * left the session as well) and have no terminal: someone who looks around there in a shell is not of the pod.
   */
  private async find(pod: PodIdentity, sessions: Set<number>): Promise<ProcessInfo[]> {
    const isolation = await this.directory.isolationOf(pod);
    if (isolation.by === 'user') return this.table.ofUser(isolation.uid);
    const all = await this.table.all();
    const own = all.find((it) => it.pid === process.pid);
    const inside = [this.directory.of(pod), await this.directory.filesOf(pod)].flatMap((path) => (path === null ? [] : [`${path}/`]));
    for (const it of all) if (it.env.get('REPRISE_POD') === markOf(pod)) sessions.add(it.session);
    return all.filter(
      (it) =>
        it.session !== own?.session &&
        (sessions.has(it.session) || (!it.hasTerminal && inside.some((path) => `${it.cwd ?? ''}/`.startsWith(path)))),
    );
  }
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
