import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { PodStatus } from '../jobs/record-changes';

export interface Figures {
  readonly pods: Partial<Record<PodStatus, number>>;
  readonly waiting: number;
  readonly running: number;
  readonly oldestDueSeconds: number;
}

/** What is counted for the metrics; by indexes that hold only what is there and what is to be done. */
@Injectable()
export class FiguresRepository {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  async look(): Promise<Figures> {
    const [row] = await this.database.query<Figures[]>(
      `WITH unfinished AS MATERIALIZED (SELECT status, available_at FROM jobs WHERE status IN ('waiting', 'running'))
       SELECT
         (SELECT coalesce(json_object_agg(status, n), '{}')
            FROM (SELECT status, count(*) AS n FROM pods WHERE status <> 'gone' GROUP BY status) p) AS pods,
         (SELECT count(*)::integer FROM unfinished WHERE status = 'waiting') AS waiting,
         (SELECT count(*)::integer FROM unfinished WHERE status = 'running') AS running,
         (SELECT coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(available_at))), 0)::float8 FROM unfinished
           WHERE status = 'waiting') AS "oldestDueSeconds"`,
    );
    if (!row) throw new Error('The database answered nothing');
    return row;
  }
}
