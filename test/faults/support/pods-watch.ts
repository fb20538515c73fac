import { type Pod, podsOf } from '../../support/pods';
import type { Ledger } from './ledger';

const LOOK_EVERY_MS = 100;

/** A pod whose process is no longer there. */
export interface GonePod {
  workspaceId: string;
  generation: number;
  /** Ended by a fault, not by Reprise. */
  killed: boolean;
}

/**
 * Looks at the machine's processes all the while: never two pods of one workspace, never one older than one that was seen before. Keeps in mind which
 * pods have gone, so that each can be accounted for.
 */
export class PodsWatch {
  readonly gone: GonePod[] = [];
  private readonly live = new Map<string, Pod>();
  private readonly newest = new Map<string, number>();
  private readonly killed = new Set<string>();
  private readonly timer: NodeJS.Timeout;
  looks = 0;

  constructor(
    private readonly agentPath: string,
    private readonly ledger: Ledger,
  ) {
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  end(): void {
    clearInterval(this.timer);
    this.look();
  }

  /** The pods of a workspace as they are at this moment. */
  of(workspaceId: string): Pod[] {
    return this.look().filter((pod) => pod.workspaceId === workspaceId);
  }

  all(): Pod[] {
    return this.look();
  }

  /** Ends a pod's agent as a crash does. What this takes with it is nobody's fault. */
  crash({ pid, ...pod }: Pod): void {
    this.killed.add(key(pod));
    process.kill(pid, 'SIGKILL');
  }

  /** Whether a fault has ended the newest pod of a workspace. */
  lostOf(workspaceId: string): boolean {
    return this.killed.has(key({ workspaceId, generation: this.newest.get(workspaceId) ?? 0 }));
  }

  private look(): Pod[] {
    const pods = podsOf(this.agentPath);
    this.looks++;
    const count = new Map<string, Pod[]>();
    for (const pod of pods) count.set(pod.workspaceId, [...(count.get(pod.workspaceId) ?? []), pod]);
    for (const [workspaceId, found] of count) {
      this.ledger.check(2, found.length === 1, () => `${workspaceId} has the pods ${found.map(described).join(' and ')}`);
    }
    for (const pod of pods) {
      const newest = this.newest.get(pod.workspaceId) ?? 0;
      if (!this.live.has(key(pod))) {
        this.ledger.check(2, pod.generation >= newest, () => `${described(pod)} was made after generation ${newest}`);
      }
      this.newest.set(pod.workspaceId, Math.max(newest, pod.generation));
      this.live.set(key(pod), pod);
    }
    const there = new Set(pods.map(key));
    for (const [name, { workspaceId, generation }] of this.live) {
      if (there.has(name)) continue;
      this.live.delete(name);
      this.gone.push({ workspaceId, generation, killed: this.killed.has(name) });
    }
    return pods;
  }
}

const key = ({ workspaceId, generation }: Pick<Pod, 'workspaceId' | 'generation'>) => `${workspaceId}/${generation}`;
const described = (pod: Pod) => `${key(pod)} (pid ${pod.pid})`;
