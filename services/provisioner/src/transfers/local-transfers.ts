import type { PodHandle } from '../pods/pod-driver';
import type { ConnectAgent } from '../ports/tokens';
import { asUnreadable } from '../snapshots/encoding';
import type { SnapshotLimits } from '../snapshots/limits';
import type { SnapshotStore } from '../snapshots/snapshot-store';
import { openSnapshot, saveSnapshot, type SnapshotRecord, verifySnapshot } from '../snapshots/snapshots';
import type { Restored, Transfers } from './transfers';

/** Transfers in the thread that asks for them. */
export class LocalTransfers implements Transfers {
  constructor(
    private readonly connect: ConnectAgent,
    private readonly store: SnapshotStore,
    private readonly limits: SnapshotLimits,
  ) {}

  async save(pod: PodHandle, key: string, signal: AbortSignal): Promise<SnapshotRecord> {
    return saveSnapshot(this.store, key, await this.connect(pod).snapshot(this.limits), this.limits, signal);
  }

  verify(record: SnapshotRecord, signal: AbortSignal): Promise<void> {
    return verifySnapshot(this.store, record, this.limits, signal);
  }

  async restore(pod: PodHandle, record: SnapshotRecord, signal: AbortSignal): Promise<Restored> {
    const tar = await openSnapshot(this.store, record);
    const giveUp = (): void => void tar.destroy(new Error('The restore was given up.'));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      signal.throwIfAborted();
      return await this.connect(pod).restore(tar, { sha256: record.tarSha256 });
    } catch (error) {
      throw asUnreadable(error, record.encoding);
    } finally {
      signal.removeEventListener('abort', giveUp);
      tar.destroy();
    }
  }
}
