import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';

const UNFINISHED = (workspace: string): string =>
  `SELECT FROM jobs u WHERE u.workspace_id = ${workspace} AND u.status IN ('waiting', 'running')`;

/** The workspace's last job named it: its pod came from it, or a resume would. Most often this is the newest one anyway. */
const IN_USE = (workspace: string, snapshot: string): string =>
  `SELECT FROM jobs j
    WHERE j.workspace_id = ${workspace} AND ${snapshot} IN (j.snapshot_id, j.new_snapshot_id)
      AND j.generation = (SELECT max(l.generation) FROM jobs l WHERE l.workspace_id = ${workspace})`;

/** Which snapshots stay. */
export interface Keep {
  /** So many verified ones of each workspace, the newest. */
  readonly kept: number;
  /** Verified ones for so long after newer ones took their place: a backup of the database that is no older may name them. */
  readonly keptHours: number;
  /** Those that were never verified, for so long. */
  readonly unverifiedForHours: number;
}

/** A snapshot that is on its way out. */
export interface Superseded {
  readonly id: string;
  readonly key: string;
}

/** What is kept, and for how long. Every statement asks in itself whether a job has the workspace: whatever a job may use stays. */
@Injectable()
export class RetentionRepository {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /**
   * Marks as `deleting` what nothing can need any more: checkpoints that a newer snapshot took the place of `keptHours` ago or earlier; other verified
   * snapshots that have not been among the workspace's newest `kept` for so long, and are not the one in use; and those of ended jobs that were never
   * verified. From then on nothing is restored from them. Answers all that are so marked, those of an interrupted pass too.
   */
  async supersede({ kept, keptHours, unverifiedForHours }: Keep, limit: number): Promise<Superseded[]> {
    return this.database.query<Superseded[]>(
      `WITH ranked AS (
         SELECT id, workspace_id, is_checkpoint, lag(since) OVER (PARTITION BY workspace_id ORDER BY seq DESC) AS newer_since,
                lag(since, $1) OVER (PARTITION BY workspace_id, is_checkpoint ORDER BY seq DESC) AS out_since
           FROM (SELECT *, coalesce(reason, '') = 'checkpoint' AS is_checkpoint, coalesce(verified_at, created_at) AS since
                   FROM snapshots WHERE status = 'verified') s
       ), old AS (
         SELECT r.id FROM ranked r
          WHERE r.newer_since IS NOT NULL
            AND CASE WHEN r.is_checkpoint THEN r.newer_since ELSE r.out_since END <= now() - make_interval(hours => $4)
            AND NOT EXISTS (${UNFINISHED('r.workspace_id')}) AND NOT EXISTS (${IN_USE('r.workspace_id', 'r.id')})
          UNION ALL
         SELECT s.id FROM snapshots s
          WHERE s.status IN ('writing', 'complete') AND coalesce(s.reason, '') <> 'adopted' AND s.created_at < now() - make_interval(hours => $2)
            AND NOT EXISTS (${UNFINISHED('s.workspace_id')})
          LIMIT $3
       ), marked AS (
         UPDATE snapshots s SET status = 'deleting' FROM old WHERE s.id = old.id AND s.status <> 'deleting' RETURNING s.id, s.key
       )
       SELECT id, key FROM marked UNION SELECT id, key FROM snapshots WHERE status = 'deleting'`,
      [kept, unverifiedForHours, limit, keptHours],
    );
  }

  /** Forgets adoptions that were begun so long ago and never finished. Their objects are what they were before: orphans. */
  async forgetAdoptions(hours: number): Promise<void> {
    await this.database.query(
      `DELETE FROM snapshots WHERE status = 'writing' AND reason = 'adopted' AND created_at < now() - make_interval(hours => $1)`,
      [hours],
    );
  }

  /** Forgets a snapshot whose object is deleted. */
  async forgetSnapshot(id: string): Promise<void> {
    await this.database.query(`DELETE FROM snapshots WHERE id = $1 AND status = 'deleting'`, [id]);
  }

  /** Of these keys of one workspace each, those that no snapshot has, and whose workspace no job works at. */
  async unreferenced(objects: readonly { key: string; workspaceId: string }[]): Promise<string[]> {
    const rows = await this.database.query<{ key: string }[]>(
      `SELECT o.key FROM unnest($1::text[], $2::text[]) AS o(key, workspace_id)
        WHERE NOT EXISTS (SELECT FROM snapshots s WHERE s.key = o.key) AND NOT EXISTS (${UNFINISHED('o.workspace_id')})
          AND EXISTS (SELECT FROM fences f WHERE f.workspace_id = o.workspace_id)`,
      [objects.map(({ key }) => key), objects.map(({ workspaceId }) => workspaceId)],
    );
    return rows.map(({ key }) => key);
  }

  /**
   * Puts an orphaned object on record as a snapshot that is being deleted. Resolves with its id; null where the object has come to a snapshot since, or a
   * job has the workspace.
   */
  async markOrphan({ key, workspaceId }: { key: string; workspaceId: string }, id: string): Promise<string | null> {
    return this.database.transaction(async (manager) => {
      // Held by whoever adopts it, too. A statement of its own: the next one sees what was written meanwhile.
      await manager.query(`SELECT FROM fences WHERE workspace_id = $1 FOR UPDATE`, [workspaceId]);
      const rows = await manager.query<{ id: string }[]>(
        `INSERT INTO snapshots (id, workspace_id, generation, status, key)
         SELECT $1, $2, 0, 'deleting', $3
          WHERE NOT EXISTS (SELECT FROM snapshots s WHERE s.key = $3) AND NOT EXISTS (${UNFINISHED('$2')}) RETURNING id`,
        [id, workspaceId, key],
      );
      return rows[0]?.id ?? null;
    });
  }

  /** Deletes ended jobs with their journals, and the rows of pods that are gone, from so long ago. The fences stay. */
  async forgetEnded(days: number, limit: number): Promise<{ jobs: number; pods: number }> {
    const [row] = await this.database.query<{ jobs: number; pods: number }[]>(
      `WITH old AS (
         SELECT id FROM jobs WHERE status IN ('succeeded', 'failed') AND finished_at < now() - make_interval(days => $1) LIMIT $2
       ), steps AS (
         DELETE FROM job_steps USING old WHERE job_id = old.id
       ), ended AS (
         DELETE FROM jobs USING old WHERE jobs.id = old.id RETURNING 1
       ), gone AS (
         DELETE FROM pods WHERE (workspace_id, generation) IN (
           SELECT workspace_id, generation FROM pods WHERE status = 'gone' AND NOT unsaved AND updated_at < now() - make_interval(days => $1) LIMIT $2
         ) RETURNING 1
       )
       SELECT (SELECT count(*)::integer FROM ended) AS jobs, (SELECT count(*)::integer FROM gone) AS pods`,
      [days, limit],
    );
    return row ?? { jobs: 0, pods: 0 };
  }
}
