import { Inject, Injectable, Logger } from '@nestjs/common';
import { type AdoptionResult, newId, type UnrecordedSnapshot, type UnrecordedSnapshots } from '@reprise/contracts';
import { SNAPSHOT_STORE } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import { snapshotLimits } from '../snapshot-store.config';
import { ownerOf } from '../snapshots/object-key';
import { SnapshotStoreError, type SnapshotStore } from '../snapshots/snapshot-store';
import { recordOf } from '../snapshots/snapshots';
import { AdoptionRepository, type Candidate } from './adoption.repository';

const BATCH = 500;
/** Objects that are asked for side by side. */
const AT_ONCE = 32;

/**
 * Snapshots that are in the store and not in the database, which was restored to an earlier state. An operator may put one on record again; it then is
 * the newest of its workspace, which resumes from it. Until then they are orphans, and the retention deletes them in their time.
 */
@Injectable()
export class Adoption {
  private readonly logger = new Logger(Adoption.name);

  constructor(
    private readonly records: AdoptionRepository,
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    private readonly config: ProvisionerConfig,
  ) {}

  /** The newest first. @throws SnapshotStoreError */
  async unrecorded(limit: number, workspaceId?: string): Promise<UnrecordedSnapshots> {
    let objects: UnrecordedSnapshot[] = [];
    let count = 0;
    for await (const batch of this.listed(workspaceId)) {
      const unrecorded = await this.records.unrecorded(batch);
      const orphans = batch.flatMap(({ key, workspaceId: id }) => {
        const known = unrecorded.get(key);
        return known === undefined ? [] : [{ key, workspace_id: id, workspace_known: known }];
      });
      for (let at = 0; at < orphans.length; at += AT_ONCE)
        objects.push(...(await Promise.all(orphans.slice(at, at + AT_ONCE).map((o) => this.look(o)))).flat());
      count += orphans.length;
      objects = objects.sort((a, b) => (a.modified_at < b.modified_at ? 1 : -1)).slice(0, limit);
    }
    return { objects, more: count > limit };
  }

  private async look(object: Pick<UnrecordedSnapshot, 'key' | 'workspace_id' | 'workspace_known'>): Promise<UnrecordedSnapshot[]> {
    const found = await this.store.stat(object.key);
    return found ? [{ ...object, size_bytes: found.sizeBytes, modified_at: found.modifiedAt.toISOString() }] : [];
  }

  /** Reads the whole object, and puts it on record. What stands against it is told, and not thrown. */
  async adopt(key: string): Promise<AdoptionResult> {
    const owner = ownerOf(key);
    if (!owner) return refused('that is not the key of a snapshot');
    const candidate: Candidate = { id: owner.snapshotId ?? newId('snapshot'), workspaceId: owner.workspaceId, key };
    try {
      return await this.take(candidate);
    } catch (error) {
      if (error instanceof SnapshotStoreError && !error.retryable) return refused(error.message);
      throw error;
    }
  }

  private async take(candidate: Candidate): Promise<AdoptionResult> {
    const { key, workspaceId } = candidate;
    const begun = await this.records.begin(candidate);
    if ('problem' in begun) return refused(begun.problem);
    const found = await this.store.stat(key);
    if (!found) return refused(`missing: there is no object ${key}`);
    const record = await recordOf(this.store, key, snapshotLimits(this.config));
    const finished = await this.records.finish(candidate, record, found.modifiedAt);
    if ('problem' in finished) return refused(finished.problem);
    this.logger.log(`Adopted snapshot ${finished.id} of ${workspaceId} from ${key}: ${record.entries} entries, ${record.tarBytes} bytes`);
    const { entries, tarBytes: tar_bytes } = record;
    const taken_at = found.modifiedAt.toISOString();
    return { snapshot: { id: finished.id, workspace_id: workspaceId, taken_at, entries, tar_bytes }, problem: null };
  }

  private async *listed(workspaceId?: string): AsyncGenerator<{ key: string; workspaceId: string }[]> {
    let batch: { key: string; workspaceId: string }[] = [];
    for await (const key of this.store.list(workspaceId === undefined ? undefined : `${workspaceId}/`)) {
      const owner = ownerOf(key);
      if (owner) batch.push({ key, workspaceId: owner.workspaceId });
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }
}

function refused(problem: string): AdoptionResult {
  return { snapshot: null, problem };
}
