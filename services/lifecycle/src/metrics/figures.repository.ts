import type { OperationKind, WorkspaceStatus } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

export interface Figures {
  workspaces: Partial<Record<WorkspaceStatus, number>>;
  operations: Partial<Record<OperationKind, number>>;
  oldestSeconds: number;
  overdue: number;
}

/** What is counted for the metrics: all tenants' workspaces, and what is in flight. */
@Injectable()
export class FiguresRepository {
  constructor(private readonly dataSource: DataSource) {}

  async look(): Promise<Figures> {
    const [row] = await this.dataSource.query<Figures[]>(
      `WITH in_flight AS MATERIALIZED (SELECT kind, created_at, deadline_at FROM operations WHERE status IN ('pending', 'running'))
       SELECT
         (SELECT coalesce(json_object_agg(status, n), '{}')
            FROM (SELECT status, count(*) AS n FROM workspaces WHERE archived_at IS NULL GROUP BY status) w) AS workspaces,
         (SELECT coalesce(json_object_agg(kind, n), '{}') FROM (SELECT kind, count(*) AS n FROM in_flight GROUP BY kind) o) AS operations,
         (SELECT coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(created_at))), 0)::float8 FROM in_flight) AS "oldestSeconds",
         (SELECT count(*)::integer FROM in_flight WHERE deadline_at < clock_timestamp()) AS overdue`,
    );
    if (!row) throw new Error('The database answered nothing');
    return row;
  }
}
