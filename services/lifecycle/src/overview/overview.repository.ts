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
       )
       SELECT clock_timestamp() AS database,
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
