import { Inject, Injectable, Logger } from '@nestjs/common';
import { SNAPSHOT_STORE, TRANSFERS } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import { snapshotLimits } from '../snapshot-store.config';
import type { SnapshotStore } from '../snapshots/snapshot-store';
import { saveDirectly, type SnapshotRecord } from '../snapshots/snapshots';
import type { Transfers } from '../transfers/transfers';
import type { LivePod } from './agents';
import { cannotTransfer } from './direct-transfer';

/** The files of a pod that is at rest, into the store. */
@Injectable()
export class PodSaver {
  private readonly logger = new Logger(PodSaver.name);

  constructor(
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    @Inject(TRANSFERS) private readonly transfers: Transfers,
    private readonly config: ProvisionerConfig,
  ) {}

  /** Straight from the pod where the store has addresses for it and the pod can use them. */
  async save({ agent, handle }: LivePod, key: string, signal: AbortSignal): Promise<{ record: SnapshotRecord; by: string }> {
    if (this.store.direct) {
      try {
        return { record: await saveDirectly(this.store.direct, key, agent, snapshotLimits(this.config), signal), by: ' by the pod' };
      } catch (error) {
        if (!cannotTransfer(error)) throw error;
        this.logger.log(`The pod cannot send its snapshot to the store by itself: ${error.detail}`);
        signal.throwIfAborted();
      }
    }
    return { record: await this.transfers.save(handle, key, signal), by: '' };
  }
}
