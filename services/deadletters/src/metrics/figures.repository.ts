import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

export interface Figures {
  readonly letters: readonly { readonly queue: string; readonly reason: string; readonly count: number }[];
  readonly oldestSeconds: number;
  readonly running: number;
  readonly paused: number;
}

/** What is counted for the metrics: what waits, by the index on status. */
@Injectable()
export class FiguresRepository {
  constructor(private readonly dataSource: DataSource) {}

  async look(): Promise<Figures> {
    const [row] = await this.dataSource.query<Figures[]>(
      `WITH waiting AS (
         SELECT queue, reason, count(*)::int AS count, min(last_failed_at) AS oldest FROM dead_letters
          WHERE status IN ('open', 'failed_again') GROUP BY queue, reason
       )
       SELECT
         (SELECT coalesce(json_agg(json_build_object('queue', queue, 'reason', reason, 'count', count)), '[]') FROM waiting) AS letters,
         (SELECT coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(oldest))), 0)::float8 FROM waiting) AS "oldestSeconds",
         (SELECT count(*)::int FROM replays WHERE status = 'running') AS running,
         (SELECT count(*)::int FROM replays WHERE status = 'paused') AS paused`,
    );
    if (!row) throw new Error('The database answered nothing');
    return row;
  }
}
