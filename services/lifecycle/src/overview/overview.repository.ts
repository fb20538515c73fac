import type { LifecycleOverview } from '@reprise/contracts';
import { Clock } from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

type Row = Omit<LifecycleOverview, 'clocks'> & { database: Date };

/** How all tenants' operations, tasks and messages stand, in one look. */
@Injectable()
export class OverviewRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  async look(limit: number): Promise<LifecycleOverview> {
    const [row] = await this.dataSource.query<Row[]>(
      `WITH quiet AS (
         SELECT o.id, o.workspace_id, o.kind, o.resends, o.created_at, o.deadline_at, o.phases -> -1 ->> 'name' AS phase
           FROM operations o WHERE o.status IN ('pending', 'running') AND o.resends > 0 ORDER BY o.created_at LIMIT $1
       ), late AS (
         SELECT t.id, t.workspace_id, t.status, t.resends, t.interrupts, t.deadline_at
           FROM tasks t WHERE t.status IN ('submitted', 'delivered', 'running') AND (t.resends > 0 OR t.interrupts > 0)
          ORDER BY t.created_at LIMIT $1
       ), failed AS (
         SELECT id, org_id, coalesce((failure ->> 'at')::timestamptz, updated_at) AS since, failure - 'at' AS reason
           FROM workspaces WHERE status = 'failed' AND archived_at IS NULL
       ), unsaved AS (
         SELECT w.id, w.org_id, left(w.last_snapshot_error, 300) AS error, coalesce(max(o.finished_at), w.updated_at) AS since
           FROM workspaces w LEFT JOIN operations o ON o.workspace_id = w.id AND o.status = 'failed'
          WHERE w.last_snapshot_error IS NOT NULL AND w.status IN ('idle', 'busy') AND w.archived_at IS NULL
          GROUP BY w.id
          -- Not what a resume says of a state that is older than the last pod: nothing is left of that to be saved.
         HAVING w.last_snapshot_error LIKE 'checkpoint:%' OR max(o.finished_at) > coalesce(w.saved_at, '-infinity')
       )
       SELECT clock_timestamp() AS database,
         (SELECT json_build_object('count', (SELECT count(*) FROM failed), 'listed', coalesce(json_agg(f ORDER BY since DESC), '[]'))
            FROM (SELECT * FROM failed ORDER BY since DESC LIMIT $1) f) AS failed_workspaces,
         (SELECT json_build_object('count', (SELECT count(*) FROM unsaved), 'listed', coalesce(json_agg(u ORDER BY since DESC), '[]'))
            FROM (SELECT * FROM unsaved ORDER BY since DESC LIMIT $1) u) AS unsaved_workspaces,
         (SELECT json_build_object('id', o.id, 'workspace_id', o.workspace_id, 'kind', o.kind, 'phase', o.phases -> -1 ->> 'name',
                                   'created_at', o.created_at, 'deadline_at', o.deadline_at)
            FROM operations o WHERE o.status IN ('pending', 'running') ORDER BY o.created_at LIMIT 1) AS oldest_operation,
         (SELECT json_build_object('count', count(*), 'oldest_at', min(created_at)) FROM outbox) AS outbox,
         (SELECT coalesce(json_object_agg(status, n), '{}') FROM (SELECT status, count(*) AS n FROM workspaces GROUP BY status) w) AS workspaces,
         (SELECT count(*)::integer FROM operations WHERE status IN ('pending', 'running')) AS operations_in_flight,
         (SELECT coalesce(json_agg(quiet ORDER BY created_at), '[]') FROM quiet) AS stuck_operations,
         (SELECT count(*)::integer FROM tasks WHERE status IN ('submitted', 'delivered', 'running')) AS tasks_in_flight,
         (SELECT coalesce(json_agg(late), '[]') FROM late) AS stuck_tasks`,
      [limit],
    );
    if (!row) throw new Error('The database answered nothing');
    const { database, ...rest } = row;
    return { clocks: { service: this.clock.now().toISOString(), database: database.toISOString() }, ...rest };
  }
}
