import type { PodStatus } from '../jobs/record-changes';
import type { PodEnd, PodPhase } from '../pods/pod-driver';

/** A pod that the driver has. */
export interface FoundPod {
  readonly workspaceId: string;
  readonly generation: number;
  readonly phase: PodPhase;
  /** Whether what it held can still be saved. */
  readonly salvageable: boolean;
  /** How it ended, where that is known. */
  readonly end: PodEnd | null;
}

/** A pod that is on record. */
export interface RecordedPod {
  readonly workspaceId: string;
  readonly generation: number;
  readonly status: PodStatus;
}

export type Correction =
  /** It should not be there: end it, and record that it is gone. */
  | { readonly do: 'remove'; readonly pod: FoundPod; readonly why: string }
  /** It should be there and lives no more: record that, and tell. */
  | { readonly do: 'report-lost'; readonly pod: RecordedPod; readonly why: string }
  /** It is on its way out and nothing of it is left: record that. */
  | { readonly do: 'record-gone'; readonly pod: RecordedPod };

/**
 * What has to be done so that there is what should be. A workspace with an unfinished job is left alone: its pods are the job's.
 *
 * | record    | driver: alive                        | driver: dead                          | driver: nothing |
 * | --------- | ------------------------------------ | ------------------------------------- | --------------- |
 * | live      | –                                    | report lost                           | report lost     |
 * | lost      | – (a resume saves it)                | – while its files are there, or remove | record gone    |
 * | creating  | remove (its job ended without it)    | remove                                | record gone     |
 * | removing  | remove (its state is safe elsewhere) | remove                                | record gone     |
 * | gone      | remove (older)                       | remove                                | –               |
 * | none      | remove (unknown)                     | remove                                | –               |
 *
 * What a lost pod left is the only copy of what it did since its last snapshot: a resume saves it, and nothing else takes it away.
 */
export function corrections(found: readonly FoundPod[], recorded: readonly RecordedPod[], busy: ReadonlySet<string>): Correction[] {
  const records = new Map(recorded.map((pod) => [keyOf(pod), pod]));
  const there = new Set(found.map(keyOf));
  const ofFound = found.filter((pod) => !busy.has(pod.workspaceId)).flatMap((pod) => correctFound(pod, records.get(keyOf(pod))) ?? []);
  const missing = recorded.filter((pod) => !busy.has(pod.workspaceId) && !there.has(keyOf(pod)));
  return [...ofFound, ...missing.flatMap((pod) => correctMissing(pod) ?? [])];
}

function correctFound(pod: FoundPod, record: RecordedPod | undefined): Correction | null {
  const dead = pod.phase === 'dead';
  switch (record?.status) {
    case undefined:
      return { do: 'remove', pod, why: 'no record knows of it' };
    case 'live':
      return dead ? { do: 'report-lost', pod: record, why: lossOf(pod.end) } : null;
    case 'lost':
      return dead && !pod.salvageable ? { do: 'remove', pod, why: 'it is dead with nothing left to save, and was reported lost' } : null;
    case 'creating':
    case 'removing':
    case 'gone':
      return { do: 'remove', pod, why: `it is recorded as ${record.status}, and no job works at it` };
  }
}

function correctMissing(pod: RecordedPod): Correction | null {
  if (pod.status === 'gone') return null;
  return pod.status === 'live' ? { do: 'report-lost', pod, why: 'The pod is gone.' } : { do: 'record-gone', pod };
}

const LOSSES: Readonly<Record<PodEnd['reason'], string>> = {
  exited: 'The agent process is gone',
  out_of_memory: 'The pod took more memory than it may',
  evicted: 'Its node put the pod out',
  preempted: 'The pod made room for one of higher priority',
  node_lost: "The pod's node is lost",
};

function lossOf(end: PodEnd | null): string {
  if (end === null) return 'The agent process is gone.';
  return end.detail === '' ? `${LOSSES[end.reason]}.` : `${LOSSES[end.reason]}: ${end.detail}`;
}

function keyOf({ workspaceId, generation }: { workspaceId: string; generation: number }): string {
  return `${workspaceId}/${generation}`;
}
