import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { ProvisionerOverview } from '@reprise/contracts';
import type { DataSource } from 'typeorm';

export type Recorded = Omit<
  ProvisionerOverview,
  'clocks' | 'last_reconcile' | 'reconcile_problem' | 'snapshot_store' | 'isolation_problem'
> & {
  readonly database: Date;
};

/** How all tenants' jobs, pods, snapshots and messages stand, in one look. */
@Injectable()
export class OverviewRepository {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  async look(limit: number): Promise<Recorded> {
    const [row] = await this.database.query<Recorded[]>(
      `WITH late AS (
         SELECT id, kind, workspace_id, step, attempt, deadline_at FROM jobs
          WHERE status IN ('waiting', 'running') AND deadline_at < now() ORDER BY deadline_at LIMIT $1
       )
       SELECT clock_timestamp() AS database,
         (SELECT json_build_object('count', count(*), 'oldest_at', min(created_at)) FROM outbox) AS outbox,
         (SELECT json_build_object('waiting', count(*) FILTER (WHERE status = 'waiting'), 'running', count(*) FILTER (WHERE status = 'running'))
            FROM jobs WHERE status IN ('waiting', 'running')) AS jobs,
         (SELECT coalesce(json_agg(late), '[]') FROM late) AS overdue_jobs,
         (SELECT coalesce(json_object_agg(status, n), '{}') FROM (SELECT status, count(*) AS n FROM pods GROUP BY status) p) AS pods,
         (SELECT coalesce(json_object_agg(status, n), '{}') FROM (SELECT status, count(*) AS n FROM snapshots GROUP BY status) s) AS snapshots`,
      [limit],
    );
    if (!row) throw new Error('The database answered nothing');
    return row;
  }
}
