import { randomBytes } from 'node:crypto';
import { PodError, type PodHandle, type PodSpec } from '../pod-driver';
import { claimFor, type Claims } from './claims';
import type { Owner } from './owner';
import type { OurPod, PodClient } from './pod-client';
import type { PodMakerOptions } from './pod-maker';
import { podOf } from './pod-object';
import { describe, isOver } from './pod-view';
import type { PodStart } from './pod-start';
import type { PodWaiter } from './pod-waiter';

/** How often others may come between a look and what is done upon it. */
const TURNS = 20;

/**
 * Opens the claim of a dead pod: a pod of the same identity and name mounts it, with an agent that only serves what is there. An emptyDir is not opened:
 * the kubelet takes it away as soon as the pod has ended.
 */
export class PodSalvage {
  constructor(
    private readonly pods: PodClient,
    private readonly claims: Claims,
    private readonly owner: Owner,
    private readonly waiter: PodWaiter,
    private readonly starts: PodStart,
    private readonly options: PodMakerOptions,
  ) {}

  async salvage(spec: PodSpec): Promise<PodHandle> {
    const until = performance.now() + this.options.startTimeoutMs;
    const pod = await this.adoptOrMake(spec);
    return this.starts.listening(spec, pod, Math.max(1, until - performance.now()));
  }

  private async adoptOrMake(spec: PodSpec): Promise<OurPod> {
    for (let turn = 0, isNamed = false; turn < TURNS; turn += 1) {
      const found = await this.pods.read(spec.workspaceId);
      if (found === 'foreign') throw new PodError('locked', 'a pod of its name is there that is none of ours');
      const pod = found === 'none' ? null : found;
      if (pod !== null) {
        this.assertNoOtherLives(spec, pod);
        if (pod.view.salvages && isOfGeneration(pod, spec) && !isOver(pod.view)) return await this.adopt(pod, spec);
      }
      isNamed ||= pod !== null && pod.view.claim !== null;
      const claim = await this.claimOf(spec, pod, isNamed);
      if (claim === null) throw new PodError('nothing_left', 'there is no claim with its files');
      if (pod !== null) {
        // Confirmed gone before its files are opened: an agent that does not answer may still write, and so may one whose node is lost.
        await this.waiter.end(pod.view, 1, this.options.removeTimeoutMs);
        continue;
      }
      const made = await this.make(spec, claim);
      if (made !== null) return made;
    }
    throw new PodError('locked', `others came between ${TURNS} times`);
  }

  private assertNoOtherLives(spec: PodSpec, pod: OurPod): void {
    if (isOfGeneration(pod, spec) || isOver(pod.view)) return;
    const { generation } = pod.view;
    const reason = generation < spec.generation ? 'older_pod_alive' : 'stale_generation';
    throw new PodError(reason, `the pod of generation ${generation} lives: ${describe(pod.view)}`);
  }

  /** @param isNamed whether a pod of the workspace named a claim, though new ones may get none */
  private async claimOf(spec: PodSpec, pod: OurPod | null, isNamed: boolean): Promise<string | null> {
    const named = pod !== null && isOfGeneration(pod, spec) ? pod.view.claim : null;
    // A pod whose workspace is no claim has left none: one of this generation that was there before it is not its state.
    if (pod !== null && isOfGeneration(pod, spec) && named === null) return null;
    const claims = await this.claims.list({ workspaceId: spec.workspaceId, isNamed });
    return claimFor(spec, named, claims)?.name ?? null;
  }

  private async adopt(pod: OurPod, spec: PodSpec): Promise<OurPod> {
    // Whoever made it may have died before it gave it its token.
    if (pod.view.phase === 'starting') await this.pods.giveToken(pod.object, spec.token);
    return pod;
  }

  /** Null where another one came first. */
  private async make(spec: PodSpec, claim: string): Promise<OurPod | null> {
    const owners = await this.owner.references();
    const made = await this.pods.create(podOf(spec, this.options.making, owners, randomBytes(4).toString('hex'), claim));
    if (made === null) return null;
    if (typeof made === 'string') throw new PodError('denied', 'the cluster changes the labels of pods');
    await this.pods.giveToken(made.object, spec.token);
    if ((await this.claimOf(spec, made, true)) !== null) return made;
    // It was removed meanwhile: this pod would wait for ever.
    await this.waiter.end(made.view, 0, this.options.removeTimeoutMs);
    throw new PodError('nothing_left', `its claim ${claim} is gone`);
  }
}

function isOfGeneration({ view }: OurPod, { generation }: PodSpec): boolean {
  return view.generation === generation;
}
