import { randomBytes } from 'node:crypto';
import { PodError, type PodHandle, type PodSpec } from '../pod-driver';
import type { Claims } from './claims';
import type { Fence } from './fence';
import type { KubePod } from './kube-objects';
import type { Owner } from './owner';
import type { OurPod, PodClient } from './pod-client';
import { claimOf, type PodMaking, podOf } from './pod-object';
import type { PodStart } from './pod-start';
import { describe, isOver, type PodView } from './pod-view';
import type { PodWaiter } from './pod-waiter';

export interface PodMakerOptions {
  readonly making: PodMaking;
  readonly startTimeoutMs: number;
  readonly removeTimeoutMs: number;
}

/** How often others may come between a look and what is done upon it: each time one of them got further. */
const TURNS = 20;
/** An older pod that was made at this very moment by one who did not see our fence goes by itself, or stays. */
const YIELD_MS = 1_000;

/** Makes pods, one for a workspace: the name is the lock, the fence says who may. */
export class PodMaker {
  constructor(
    private readonly pods: PodClient,
    private readonly claims: Claims,
    private readonly fence: Fence,
    private readonly owner: Owner,
    private readonly waiter: PodWaiter,
    private readonly starts: PodStart,
    private readonly options: PodMakerOptions,
  ) {}

  async create(spec: PodSpec): Promise<PodHandle> {
    const until = performance.now() + this.options.startTimeoutMs;
    const pod = await this.adoptOrMake(spec);
    return this.starts.listening(spec, pod, Math.max(1, until - performance.now()));
  }

  /** The workspace's pod, of this generation and alive. */
  private async adoptOrMake(spec: PodSpec): Promise<OurPod> {
    for (let turn = 0, raised = false; turn < TURNS; turn += 1) {
      const [lease, found, owners] = await Promise.all([
        this.fence.read(spec.workspaceId),
        this.pods.read(spec.workspaceId),
        this.owner.references(),
      ]);
      this.fence.assertNotStale(lease, spec);
      if (found === 'foreign') throw new PodError('locked', 'a pod of its name is there that is none of ours');
      if (found !== 'none') {
        const ours = await this.settle(found, spec, raised);
        if (ours) return ours;
        continue;
      }
      if (!(await this.fence.raise(lease, spec, owners))) continue;
      raised = true;
      const made = await this.pods.create(podOf(spec, this.options.making, owners, randomBytes(4).toString('hex')));
      if (made === null) continue;
      if (typeof made === 'string') throw new PodError('denied', 'the cluster changes the labels of pods');
      return this.confirm(made, spec);
    }
    throw new PodError('locked', `others came between ${TURNS} times`);
  }

  /** A pod of the name is there: it is the one that is wanted, or refused, or, ended, taken out of the way (null: look again). */
  private async settle({ object, view }: OurPod, spec: PodSpec, raised: boolean): Promise<OurPod | null> {
    const older = view.generation < spec.generation;
    if (view.generation > spec.generation) throw new PodError('stale_generation', `the pod of generation ${view.generation} is there`);
    if (older && !(await this.isOnItsWayOut(view, raised))) {
      throw new PodError('older_pod_alive', `the pod of generation ${view.generation} lives: ${describe(view)}`);
    }
    if (!older && view.phase !== 'dead' && !view.terminating) {
      if (view.salvages) throw new PodError('locked', 'what a pod of this generation left is being saved');
      // Whoever made it may have died before it gave it what it waits for.
      if (view.phase === 'starting') await this.equip(object, spec);
      return { object, view };
    }
    await this.waiter.end(view, 1, this.options.removeTimeoutMs);
    return null;
  }

  /** Of an older pod: whether it is over, so that it may be taken out of the way. One whose node is lost may live. */
  private async isOnItsWayOut(view: PodView, raised: boolean): Promise<boolean> {
    if (isOver(view) || !raised) return isOver(view);
    const later = await this.waiter.until(view, isOver, YIELD_MS);
    return later === null || isOver(later);
  }

  /** The token, and the claim if it has one. Both are made after the pod, whose name is the lock: nobody else's are ever in the way. */
  private async equip(pod: KubePod, spec: PodSpec): Promise<void> {
    const claim = claimOf(pod, spec, this.options.making);
    await Promise.all([this.pods.giveToken(pod, spec.token), claim && this.claims.make(claim)]);
  }

  /** The second look at the fence: whoever raised it before it was there did not see this pod, and relies on its going. */
  private async confirm(made: OurPod, spec: PodSpec): Promise<OurPod> {
    const [lease] = await Promise.all([this.fence.read(spec.workspaceId), this.equip(made.object, spec)]);
    try {
      this.fence.assertNotStale(lease, spec);
    } catch (error) {
      await this.waiter.end(made.view, 0, this.options.removeTimeoutMs);
      throw error;
    }
    return made;
  }
}
