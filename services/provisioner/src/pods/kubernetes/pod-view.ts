import type { V1ContainerStatus } from '@kubernetes/client-node' with { 'resolution-mode': 'import' };
import { isIPv6 } from 'node:net';
import type { PodEnd, PodIdentity, PodState } from '../pod-driver';
import { detailOf } from './kube-error';
import type { KubePod } from './kube-objects';
import { AGENT_CONTAINER, identityIn, LABEL } from './names';
import { endOf, isLost, type PodTrouble, troubleOf } from './pod-endings';
import { claimIn } from './pod-object';

/** All that is kept of a pod: some hundred bytes, where the object itself has several thousand. */
export interface PodView extends PodIdentity {
  readonly name: string;
  readonly uid: string;
  /** Of the object; a higher one is newer. */
  readonly version: number;
  readonly phase: PodState['phase'];
  readonly address: string | null;
  /** How it ended, or what put an end to it that has not yet come. */
  readonly end: PodEnd | null;
  /** Why it does not start. */
  readonly trouble: PodTrouble | null;
  /** Whether it is on its way out; nothing brings it back. */
  readonly terminating: boolean;
  /** The claim that holds its workspace; null where that goes with the pod. */
  readonly claim: string | null;
  /** Whether it serves what a dead pod left, and does nothing else. */
  readonly salvages: boolean;
}

/** What an object of the API means to the port; null where it is not a pod of this installation. */
export function viewOf(pod: KubePod, instance: string, port: number): PodView | null {
  const identity = identityIn(pod.metadata, instance);
  if (identity === null) return null;
  const agent = agentStatusOf(pod);
  const ended = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded' || agent?.state?.terminated != null;
  const dead = ended || isLost(pod);
  const listens = !dead && agent?.state?.running != null && (agent.ready || agent.started === true);
  const address = listens && pod.status?.podIP ? addressOf(pod.status.podIP, port) : null;
  return {
    ...identity,
    name: pod.metadata.name!,
    uid: pod.metadata.uid!,
    version: Number(pod.metadata.resourceVersion),
    phase: dead ? 'dead' : address === null ? 'starting' : 'running',
    address,
    end: endOf(pod, agent, dead),
    trouble: address === null ? troubleOf(pod) : null,
    terminating: pod.metadata.deletionTimestamp !== undefined,
    claim: claimIn(pod),
    salvages: pod.metadata.labels?.[LABEL.mode] === 'salvage',
  };
}

/** @param hasClaim whether the claim that holds its workspace is there */
export function stateOf({ workspaceId, generation, phase, address, name, end }: PodView, hasClaim: boolean): PodState {
  return {
    workspaceId,
    generation,
    phase,
    address,
    ref: phase === 'dead' ? null : `pod ${name}`,
    salvageable: hasClaim,
    end: phase === 'dead' ? end : null,
  };
}

/** Whether it may be taken out of the way: it has ended, or is about to. One whose node is lost may live. */
export function isOver({ phase, end, terminating }: PodView): boolean {
  return terminating || (phase === 'dead' && end?.reason !== 'node_lost');
}

/** In one line, for an error's detail. */
export function describe(view: PodView): string {
  return detailOf(view.end?.detail ?? view.trouble?.detail ?? `the pod is ${view.phase}`);
}

function agentStatusOf(pod: KubePod): V1ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER);
}

function addressOf(ip: string, port: number): string {
  return `http://${isIPv6(ip) ? `[${ip}]` : ip}:${port}`;
}
