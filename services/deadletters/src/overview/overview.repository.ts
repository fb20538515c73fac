import { Injectable } from '@nestjs/common';
import type { DeadLettersOverview } from '@reprise/contracts';
import { Clock } from '@reprise/platform';
import { DataSource } from 'typeorm';

type Row = Omit<DeadLettersOverview, 'clocks'> & { database: Date };

/** How all tenants' dead letters stand, in one look: those that wait for an operator, by the index on status. */
@Injectable()
export class OverviewRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  async look(limit: number): Promise<DeadLettersOverview> {
    const [row] = await this.dataSource.query<Row[]>(
      `WITH kinds AS (
         SELECT fingerprint AS "group", min(type) AS type, min(queue) AS queue, min(reason) AS reason, left(min(exception), 300) AS exception,
                count(*)::int AS count, min(first_failed_at) AS first_failed_at, max(last_failed_at) AS last_failed_at
           FROM dead_letters WHERE status IN ('open', 'failed_again') GROUP BY fingerprint
       ), halted AS (
         SELECT id, status, created_at, last_error FROM replays
          WHERE status = 'paused' OR (status = 'running' AND last_error IS NOT NULL) ORDER BY created_at LIMIT $1
       )
       SELECT clock_timestamp() AS database,
         (SELECT json_build_object('count', coalesce(sum(count), 0), 'oldest_at', min(first_failed_at)) FROM kinds) AS waiting,
         (SELECT json_build_object('count', (SELECT count(*) FROM kinds), 'largest', coalesce(json_agg(k ORDER BY count DESC, "group"), '[]'))
            FROM (SELECT * FROM kinds ORDER BY count DESC, "group" LIMIT $1) k) AS groups,
         (SELECT coalesce(json_agg(halted ORDER BY created_at), '[]') FROM halted) AS stuck_replays`,
      [limit],
    );
    if (!row) throw new Error('The database answered nothing');
    const { database, ...rest } = row;
    return { clocks: { service: this.clock.now().toISOString(), database: database.toISOString() }, ...rest };
  }
}
