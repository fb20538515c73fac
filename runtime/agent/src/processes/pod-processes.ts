import { setTimeout as sleep } from 'node:timers/promises';
import { membersOf, type Membership, type Surroundings } from './membership';
import { isLiving, isStopped, isUninterruptible, processOf, type ProcessInfo } from './process-table';

/** Time between SIGTERM and SIGKILL. */
export const KILL_AFTER_MS = 5_000;
/** SIGKILL cannot be ignored, but a process in an uninterruptible wait takes it late. */
const GONE_AFTER_MS = 3_000;
/** Such a process takes SIGSTOP late as well. */
const FROZEN_WITHIN_MS = 30_000;
const POLL_MS = 20;

/** Every process of this pod but the agent: its tasks, what these started, and what they left behind. */
export class PodProcesses {
  /** What `freeze` stopped. What was stopped before is its owner's to continue. */
  private frozen: ProcessInfo[] = [];

  constructor(
    private readonly membership: Membership,
    private readonly around: Surroundings,
  ) {}

  /** Those that live now. Where there is no /proc, none is found. */
  async list(): Promise<ProcessInfo[]> {
    const members = await membersOf(this.membership, this.around);
    const spared = selfAndAncestors();
    return members.filter(({ pid }) => !spared.has(pid));
  }

  /**
   * SIGTERM, five seconds, SIGKILL, to all of them and to what they start meanwhile. Resolves with those that are left: none, but for what the kernel
   * does not let end.
   */
  async end(killAfterMs = KILL_AFTER_MS): Promise<ProcessInfo[]> {
    const asked = new Set<string>();
    for (const until = Date.now() + killAfterMs; ;) {
      const left = await this.list();
      if (left.length === 0) {
        this.frozen = [];
        return [];
      }
      if (Date.now() >= until) break;
      for (const it of left.filter((each) => !asked.has(nameOf(each)))) {
        asked.add(nameOf(it));
        send(it, 'SIGTERM');
        // One that is stopped takes no signal but this one, and could not save what it holds.
        if (isStopped(it)) send(it, 'SIGCONT');
      }
      await sleep(POLL_MS);
    }
    this.frozen = [];
    const killed = new Set<string>();
    for (let until = Date.now() + GONE_AFTER_MS; ;) {
      const left = await this.list();
      // A dying process may have forked just before: what is new has its own time.
      const appeared = left.filter((it) => !killed.has(nameOf(it)));
      if (appeared.length > 0) until = Date.now() + GONE_AFTER_MS;
      if (left.length === 0 || Date.now() >= until) return left;
      for (const it of left) {
        killed.add(nameOf(it));
        send(it, 'SIGKILL');
      }
      await sleep(POLL_MS);
    }
  }

  /**
   * Stops all of them with SIGSTOP, again until no new one appears: one that is being stopped may have forked just before. Resolves once all stand
   * still, with how many it stopped. Call `continue` in any case afterwards.
   * @throws Error where one does not stop in time
   */
  async freeze(): Promise<number> {
    for (const until = Date.now() + FROZEN_WITHIN_MS; ;) {
      const known = new Set(this.frozen.map(nameOf));
      const all = await this.list();
      const moving = all.filter((it) => !isStopped(it));
      if (moving.length === 0) return this.frozen.length;
      if (Date.now() >= until) throw new Error(`processes did not stop: ${moving.map(({ pid, state }) => `${pid} (${state})`).join(', ')}`);
      for (const it of moving) {
        send(it, 'SIGSTOP');
        if (!known.has(nameOf(it))) this.frozen.push(it);
      }
      // Most have stopped by the next look; a short wait is for those that have not.
      if (!moving.every((it) => known.has(nameOf(it)))) continue;
      // One that has called vfork(2) takes no signal until its child is another program, and that was stopped before: it gets a moment to become one.
      const waiting = new Set(moving.filter(isUninterruptible).map(({ pid }) => pid));
      for (const it of all) if (isStopped(it) && known.has(nameOf(it)) && waiting.has(it.parent)) send(it, 'SIGCONT');
      await sleep(POLL_MS);
    }
  }

  /** Lets go on what `freeze` stopped, and nothing else. */
  continue(): void {
    for (const it of this.frozen.splice(0)) send(it, 'SIGCONT');
  }
}

/** The agent, and whatever it runs under: a shell, a container's first process. */
function selfAndAncestors(): Set<number> {
  const spared = new Set([process.pid]);
  for (let at = process.ppid; at > 0 && !spared.has(at); at = processOf(at)?.parent ?? 0) spared.add(at);
  return spared;
}

function nameOf({ pid, start }: ProcessInfo): string {
  return `${pid}/${start}`;
}

/** Not to another process that has the pid by now. */
function send(it: ProcessInfo, signal: NodeJS.Signals): void {
  const now = processOf(it.pid);
  if (now?.start !== it.start || !isLiving(now)) return;
  try {
    process.kill(it.pid, signal);
  } catch {
    // Gone meanwhile, or not ours to signal: whoever looks next sees which.
  }
}
