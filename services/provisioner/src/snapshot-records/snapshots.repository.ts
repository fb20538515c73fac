import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { runs } from '../jobs/claim.statement.repository';
import type { SnapshotStatus } from '../jobs/record-changes';
import type { Encoding } from '../snapshots/encoding';
import type { SnapshotRecord } from '../snapshots/snapshots';

export interface StoredSnapshot {
  readonly id: string;
  readonly workspaceId: string;
  /** Of the job that took it. */
  readonly generation: number;
  readonly status: SnapshotStatus;
  readonly takenAt: Date;
  readonly record: SnapshotRecord;
}

interface SnapshotRow {
  id: string;
  workspace_id: string;
  generation: number;
  status: SnapshotStatus;
  key: string;
  created_at: Date;
  tar_sha256: string | null;
  tar_bytes: string | null;
  entries: number | null;
  stored_sha256: string | null;
  stored_bytes: string | null;
  encoding: Encoding | null;
}

/** Reads the records of snapshots. They are written with the jobs that make them, and deleted by the retention. */
@Injectable()
export class SnapshotsRepository {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  async find(id: string, workspaceId: string): Promise<StoredSnapshot | null> {
    const [row] = await this.database.query<SnapshotRow[]>(
      `SELECT id, workspace_id, generation, status, key, created_at, tar_sha256, tar_bytes, entries, stored_sha256, stored_bytes, encoding
         FROM snapshots WHERE id = $1 AND workspace_id = $2`,
      [id, workspaceId],
    );
    return row ? toSnapshot(row) : null;
  }

  /** The workspace's last good snapshot taken before this generation, or null. */
  async lastGood(workspaceId: string, before: number): Promise<Pick<StoredSnapshot, 'id' | 'takenAt'> | null> {
    const [row] = await this.database.query<Pick<StoredSnapshot, 'id' | 'takenAt'>[]>(
      `SELECT id, created_at AS "takenAt" FROM snapshots WHERE workspace_id = $1 AND status = 'verified' AND generation < $2 ORDER BY seq DESC LIMIT 1`,
      [workspaceId, before],
    );
    return row ?? null;
  }

  /** Whether the snapshot is verified and the job's lease is still held: asked right before a pod is torn down. */
  async isVerifiedFor(snapshotId: string, job: { id: string; epoch: number }): Promise<boolean> {
    const rows = await this.database.query<unknown[]>(
      `SELECT 1 FROM snapshots s, jobs j
        WHERE s.id = $1 AND s.status = 'verified' AND j.id = $2 AND j.epoch = $3 AND ${runs('j')} AND j.available_at > now()`,
      [snapshotId, job.id, job.epoch],
    );
    return rows.length > 0;
  }
}

function toSnapshot(row: SnapshotRow): StoredSnapshot {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    generation: row.generation,
    status: row.status,
    takenAt: row.created_at,
    record: {
      key: row.key,
      tarSha256: row.tar_sha256 ?? '',
      tarBytes: Number(row.tar_bytes ?? 0),
      entries: row.entries ?? 0,
      storedSha256: row.stored_sha256 ?? '',
      storedBytes: Number(row.stored_bytes ?? 0),
      // One that is being written has none yet; all that once were without were gzip.
      encoding: row.encoding ?? 'gzip',
    },
  };
}
