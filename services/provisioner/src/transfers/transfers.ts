import type { PodHandle } from '../pods/pod-driver';
import type { SnapshotRecord } from '../snapshots/snapshots';

/**
 * Snapshots on their way through the provisioner, between pods and the store. Where pod and store reach each other, the bytes go past it instead
 * (`SnapshotStore.direct`).
 *
 * All three may be repeated. Once the signal is aborted they reject soon, and what they have begun goes on no further.
 */
export interface Transfers {
  /**
   * The files of a pod that is quiesced, into the store. Durable when it resolves, and not read back yet.
   * @throws AgentError, SnapshotStoreError
   */
  save(pod: PodHandle, key: string, signal: AbortSignal): Promise<SnapshotRecord>;

  /** Reads the stored object back from beginning to end. @throws SnapshotStoreError `corrupt`, `missing` where it cannot be relied upon */
  verify(record: SnapshotRecord, signal: AbortSignal): Promise<void>;

  /** The files of a snapshot, into a pod that is starting. @throws AgentError, SnapshotStoreError */
  restore(pod: PodHandle, record: SnapshotRecord, signal: AbortSignal): Promise<Restored>;
}

export interface Restored {
  readonly entries: number;
  readonly bytes: number;
}
