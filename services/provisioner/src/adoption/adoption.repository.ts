import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { newId, SnapshotAdopted } from '@reprise/contracts';
import { Outbox } from '@reprise/messaging';
import type { DataSource, EntityManager } from 'typeorm';
import type { SnapshotRecord } from '../snapshots/snapshots';

/** An object that is to become a snapshot. */
export interface Candidate {
  /** Of the snapshot to be, unless another has it. */
  readonly id: string;
  readonly workspaceId: string;
  readonly key: string;
}

/** The snapshot that a candidate is to become, with the digest of its object where that is on record; or why it cannot. */
export type Standing = { readonly id: string; readonly storedSha256?: string | null } | { readonly problem: string };

/** A row of an adoption that was begun. Nobody deletes it while anyone may be reading its object; the retention forgets it in its time. */
const BEGUN = (row: string): string => `(${row}.status = 'writing' AND ${row}.reason = 'adopted')`;

/** Puts objects of the store on record as snapshots. */
@Injectable()
export class AdoptionRepository {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** Of these keys those that no snapshot has, each with whether its workspace is on record. An adoption that was begun and not finished has none. */
  async unrecorded(objects: readonly { key: string; workspaceId: string }[]): Promise<ReadonlyMap<string, boolean>> {
    const rows = await this.database.query<{ key: string; known: boolean }[]>(
      `SELECT o.key, EXISTS (SELECT FROM fences f WHERE f.workspace_id = o.workspace_id) AS known FROM unnest($1::text[], $2::text[]) AS o(key, workspace_id)
        WHERE NOT EXISTS (SELECT FROM snapshots s WHERE s.key = o.key AND NOT ${BEGUN('s')})`,
      [objects.map(({ key }) => key), objects.map(({ workspaceId }) => workspaceId)],
    );
    return new Map(rows.map(({ key, known }) => [key, known]));
  }

  /**
   * Puts the object on record as one that is being read, so that it stays: for the time of an orphan, from now on. One that was begun before goes on, also
   * where another still reads it.
   */
  begin(candidate: Candidate): Promise<Standing> {
    return this.database.transaction(async (manager) => {
      const standing = await this.standing(manager, candidate);
      if (standing) {
        if ('id' in standing)
          await manager.query(`UPDATE snapshots s SET created_at = now() WHERE id = $1 AND ${BEGUN('s')}`, [standing.id]);
        return standing;
      }
      const rows = await manager.query<{ id: string }[]>(
        `INSERT INTO snapshots (id, workspace_id, org_id, generation, status, key, reason)
         SELECT CASE WHEN EXISTS (SELECT FROM snapshots WHERE id = $1) THEN $2 ELSE $1 END, f.workspace_id,
                (SELECT p.org_id FROM pods p WHERE p.workspace_id = f.workspace_id LIMIT 1), f.generation, 'writing', $4, 'adopted'
           FROM fences f WHERE f.workspace_id = $3 RETURNING id`,
        [candidate.id, newId('snapshot'), candidate.workspaceId, candidate.key],
      );
      return { id: rows[0]?.id ?? candidate.id };
    });
  }

  /** The object was read and found whole: it becomes the workspace's newest snapshot, and lifecycle is told. Nothing where it is that already. */
  finish(candidate: Candidate, record: SnapshotRecord, takenAt: Date): Promise<Standing> {
    return this.database.transaction(async (manager) => {
      const standing = await this.standing(manager, candidate);
      if (!standing) return { problem: 'it was taken off the record meanwhile; adopt it again' };
      if ('problem' in standing) return standing;
      if (standing.storedSha256 && standing.storedSha256 !== record.storedSha256)
        return { problem: `corrupt: it is not the object of ${standing.id}` };
      const made = await manager.query<unknown[]>(
        `WITH made AS (
           UPDATE snapshots SET status = 'verified', verified_at = now(), created_at = $2, seq = nextval('snapshots_seq'), tar_sha256 = $3,
                  tar_bytes = $4, entries = $5, stored_sha256 = $6, stored_bytes = $7, encoding = $8
            WHERE id = $1 AND id IS DISTINCT FROM (
                    SELECT n.id FROM snapshots n WHERE n.workspace_id = $9 AND n.status = 'verified' ORDER BY n.seq DESC LIMIT 1)
           RETURNING 1
         ) SELECT FROM made`,
        [
          standing.id,
          takenAt,
          record.tarSha256,
          record.tarBytes,
          record.entries,
          record.storedSha256,
          record.storedBytes,
          record.encoding,
          candidate.workspaceId,
        ],
      );
      if (made.length === 0) return standing;
      const data: SnapshotAdopted = { workspace_id: candidate.workspaceId, snapshot_id: standing.id, taken_at: takenAt.toISOString() };
      await this.outbox.append(manager, [{ type: SnapshotAdopted.type, data, subject: candidate.workspaceId, orgId: null }]);
      return standing;
    });
  }

  /** How the candidate stands, with its workspace held until the end of the transaction; null where it is not on record, and may be. */
  private async standing(manager: EntityManager, { workspaceId, key }: Candidate): Promise<Standing | null> {
    const known = await manager.query<unknown[]>(`SELECT 1 FROM fences WHERE workspace_id = $1 FOR UPDATE`, [workspaceId]);
    if (known.length === 0) return { problem: `no workspace ${workspaceId} is on record` };
    const [found] = await manager.query<{ id: string; status: string; reason: string | null; stored_sha256: string | null }[]>(
      `SELECT id, status, reason, stored_sha256 FROM snapshots WHERE key = $1 ORDER BY status = 'verified' DESC LIMIT 1`,
      [key],
    );
    const isFree = !found || found.status === 'verified' || (found.status === 'writing' && found.reason === 'adopted');
    if (!isFree) return { problem: `snapshot ${found.id}, which is ${found.status}, has it` };
    const [inTheWay] = await manager.query<{ what: string }[]>(
      `SELECT 'operation ' || operation_id || ' is under way' AS what FROM jobs WHERE workspace_id = $1 AND status IN ('waiting', 'running')
        UNION ALL
       SELECT 'it has a pod, of generation ' || generation || '; stop it first' FROM pods
        WHERE workspace_id = $1 AND status IN ('creating', 'live', 'removing') LIMIT 1`,
      [workspaceId],
    );
    if (inTheWay) return { problem: `the workspace is not at rest: ${inTheWay.what}` };
    return found ? { id: found.id, storedSha256: found.stored_sha256 } : null;
  }
}
