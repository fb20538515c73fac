import type { V1ContainerStatus } from '@kubernetes/client-node' with { 'resolution-mode': 'import' };
import type { PodEnd, PodEndReason, PodErrorReason } from '../pod-driver';
import { detailOf } from './kube-error';
import type { KubePod } from './kube-objects';

/** Why a pod does not start, as the port's reason for it. `waiting` may yet pass. */
export interface PodTrouble {
  readonly reason: Extract<PodErrorReason, 'image_unavailable' | 'unschedulable'> | 'waiting';
  readonly detail: string;
  /** Whether more patience would be of no use. */
  readonly final: boolean;
}

/** What a container waits with whose image does not come (kubelet's images package). */
const IMAGE_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

/** Reasons of the condition DisruptionTarget, which Kubernetes sets since 1.26 before it takes a pod away. */
const DISRUPTIONS: Readonly<Record<string, PodEndReason>> = {
  PreemptionByScheduler: 'preempted',
  PreemptionByKubeScheduler: 'preempted',
  EvictionByEvictionAPI: 'evicted',
  TerminationByKubelet: 'evicted',
  DeletionByTaintManager: 'evicted',
  DeletionByPodGC: 'node_lost',
};

/** The pod's own reason, which the kubelet and the controllers write, in old clusters and new ones. */
const STATUS_REASONS: Readonly<Record<string, PodEndReason>> = {
  Evicted: 'evicted',
  Shutdown: 'evicted',
  NodeShutdown: 'evicted',
  Terminated: 'evicted',
  Preempting: 'preempted',
  NodeLost: 'node_lost',
  NodeUnreachable: 'node_lost',
};

/**
 * Whether its node is gone or does not answer, so that nobody can say whether it runs. On the way there the node controller first says that it
 * is not ready, and marks it for deletion some minutes later; only then, and as no kubelet has confirmed an end, it is given up.
 */
export function isLost(pod: KubePod): boolean {
  const disruption = disruptionOf(pod);
  if (STATUS_REASONS[pod.status?.reason ?? ''] === 'node_lost' || pod.status?.phase === 'Unknown') return true;
  if (disruption?.reason === 'DeletionByPodGC') return true;
  return disruption?.reason === 'DeletionByTaintManager' && conditionOf(pod, 'Ready')?.status !== 'True' && !hasEnded(pod);
}

/** How it ended or, of one that lives, what is about to end it; null of one that just lives. */
export function endOf(pod: KubePod, agent: V1ContainerStatus | undefined, dead: boolean): PodEnd | null {
  const disruption = disruptionOf(pod);
  const reason = isLost(pod) ? 'node_lost' : (STATUS_REASONS[pod.status?.reason ?? ''] ?? DISRUPTIONS[disruption?.reason ?? '']);
  if (reason !== undefined) return ending(reason, pod.status?.reason ?? disruption?.reason, pod.status?.message ?? disruption?.message);
  if (!dead) return null;
  const ended = agent?.state?.terminated ?? pod.status?.initContainerStatuses?.find(failed)?.state?.terminated;
  if (!ended) return ending('exited', pod.status?.reason, pod.status?.message);
  const how = ended.signal ? `signal ${ended.signal}` : `exit code ${ended.exitCode}`;
  return ending(ended.reason === 'OOMKilled' ? 'out_of_memory' : 'exited', `${ended.reason ?? 'ended'}, ${how}`, ended.message);
}

/** Why a pod that does not listen yet does not. */
export function troubleOf(pod: KubePod): PodTrouble | null {
  const { status } = pod;
  // The kubelet refused what the scheduler gave it: the node was full by then.
  if (status?.phase === 'Failed' && /^(OutOf|NodeAffinity|UnexpectedAdmission)/.test(status.reason ?? '')) {
    return { reason: 'unschedulable', detail: told(status.reason, status.message), final: true };
  }
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const waiting = containers.map(({ state }) => state?.waiting).filter((it) => it != null);
  const image = waiting.find(({ reason }) => IMAGE_REASONS.has(reason ?? ''));
  if (image) return { reason: 'image_unavailable', detail: told(image.reason, image.message), final: true };
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') {
    // An autoscaler may be bringing up a node for it: only time tells.
    return { reason: 'unschedulable', detail: told(scheduled.reason, scheduled.message), final: false };
  }
  const why = waiting.find(({ reason }) => reason !== 'PodInitializing') ?? waiting[0];
  return why ? { reason: 'waiting', detail: told(why.reason, why.message), final: false } : null;
}

function hasEnded({ status }: KubePod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}

function disruptionOf(pod: KubePod) {
  const condition = conditionOf(pod, 'DisruptionTarget');
  return condition?.status === 'True' ? condition : undefined;
}

function conditionOf({ status }: KubePod, type: string) {
  return status?.conditions?.find((it) => it.type === type);
}

function failed({ state }: V1ContainerStatus): boolean {
  return state?.terminated != null && state.terminated.exitCode !== 0;
}

function ending(reason: PodEndReason, word: string | undefined, message: string | undefined): PodEnd {
  return { reason, detail: detailOf(told(word, message)) };
}

function told(word: string | undefined, message: string | undefined): string {
  return [word, message?.trim()].filter((it) => it !== undefined && it !== '').join(': ');
}
