import type { SnapshotRecord } from '../snapshots/snapshots';

/**
 * - `creating`: it is being made; nothing of its own is in it yet.
 * - `live`: it takes tasks, or a job is saving it.
 * - `removing`: its removal has begun; what it held is safe in a verified snapshot, or was never its own.
 * - `gone`: confirmed gone.
 * - `lost`: it was live and is found dead. What it left is kept until a resume has saved it.
 */
export const POD_STATUSES = ['creating', 'live', 'removing', 'gone', 'lost'] as const;
export type PodStatus = (typeof POD_STATUSES)[number];

/** A pod's row as it is to be. What is left out stays. */
export interface PodChange {
  readonly workspaceId: string;
  readonly generation: number;
  readonly status: PodStatus;
  readonly address?: string;
  /** That it went with state that nobody saved. By default so of one that is lost, and not of one that is torn down. */
  readonly unsaved?: boolean;
}

/**
 * - `writing`: being taken; what stands in the store may be half of it.
 * - `complete`: durable in the store, not read back.
 * - `verified`: read back and found whole. Only such a one is a reason to tear a pod down, and only from such a one is restored.
 * - `deleting`: nothing needs it any more; its object is being deleted. Set by the retention alone.
 */
export const SNAPSHOT_STATUSES = ['writing', 'complete', 'verified', 'deleting'] as const;
export type SnapshotStatus = (typeof SNAPSHOT_STATUSES)[number];

/** What a snapshot is made for; `adopted` ones were made for something that is on record no more. */
export type SnapshotReason = 'restart' | 'stop' | 'salvage' | 'checkpoint' | 'adopted';

/** A snapshot's row as it is to be. What is left out stays. */
export interface SnapshotChange {
  readonly id: string;
  readonly status: SnapshotStatus;
  /** With `writing`: where it will stand. */
  readonly key?: string;
  /** With `writing`: what it is made for. */
  readonly reason?: SnapshotReason;
  /** With `complete`. */
  readonly record?: SnapshotRecord;
}

/** What a step writes down beside the job itself, in the same statement as its journal. */
export interface RecordChanges {
  readonly pods?: readonly PodChange[];
  readonly snapshot?: SnapshotChange;
}
