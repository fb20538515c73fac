import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Outbox, OutboxRelay, type OutgoingMessage } from '@reprise/messaging';
import type { DataSource } from 'typeorm';
import type { PodIdentity } from '../pods/pod-driver';
import type { SnapshotRecord } from '../snapshots/snapshots';

/** The records of checkpoints, among those of all snapshots. */
@Injectable()
export class CheckpointsRepository {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
  ) {}

  /** Records a checkpoint that is about to be made. False where the pod is not the live one, or a job has its workspace. */
  async begin(id: string, key: string, { workspaceId, generation }: PodIdentity): Promise<boolean> {
    const rows = await this.database.query<unknown[]>(
      `INSERT INTO snapshots (id, workspace_id, org_id, generation, status, key, reason)
       SELECT $1, p.workspace_id, p.org_id, p.generation, 'writing', $2, 'checkpoint' FROM pods p
        WHERE p.workspace_id = $3 AND p.generation = $4 AND p.status = 'live'
          AND NOT EXISTS (SELECT FROM jobs j WHERE j.workspace_id = p.workspace_id AND j.status IN ('waiting', 'running'))
       RETURNING id`,
      [id, key, workspaceId, generation],
    );
    return rows.length > 0;
  }

  /** The checkpoint was read back and is whole; from here on a resume may begin from it. With the event that tells so. */
  async verified(id: string, record: SnapshotRecord, event: OutgoingMessage): Promise<void> {
    const batch = this.outbox.prepare([event]);
    const rows = await this.database.query<unknown[]>(
      `WITH done AS (
         UPDATE snapshots SET status = 'verified', tar_sha256 = $2, tar_bytes = $3, entries = $4, stored_sha256 = $5, stored_bytes = $6,
                              encoding = $7, verified_at = now()
          WHERE id = $1 AND status = 'writing' RETURNING 1
       ) ${this.outbox.insertSql('$8', 'EXISTS (SELECT FROM done)')} RETURNING 1`,
      [id, record.tarSha256, record.tarBytes, record.entries, record.storedSha256, record.storedBytes, record.encoding, batch.parameter],
    );
    if (rows.length > 0) this.relay.wake(batch);
  }

  /** Forgets a checkpoint that came to nothing; its object is deleted before. */
  async forget(id: string): Promise<void> {
    await this.database.query(`DELETE FROM snapshots WHERE id = $1 AND status = 'writing'`, [id]);
  }

  async tell(event: OutgoingMessage): Promise<void> {
    const batch = this.outbox.prepare([event]);
    await this.database.query(this.outbox.insertSql('$1'), [batch.parameter]);
    this.relay.wake(batch);
  }
}
