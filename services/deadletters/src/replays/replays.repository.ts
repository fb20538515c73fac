import type { ReplayStatus, ReplayView } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

export interface ReplayRow {
  id: string;
  status: ReplayStatus;
  rate_per_second: number;
}

/** A letter that is to be sent. */
export interface DueLetter {
  id: string;
  queue: string;
  sent_by: string | null;
  edited_from: string | null;
  replays: number;
  headers: string;
  properties: string;
  body: Buffer;
}

type ViewRow = Omit<ReplayView, 'created_at' | 'finished_at'> & { created_at: Date; finished_at: Date | null };

const VIEW = `SELECT r.id, r.status, r.rate_per_second, r.requested_by, r.created_at, r.finished_at, r.last_error, n.*
  FROM replays r CROSS JOIN LATERAL (
    SELECT count(*)::int AS total,
           (count(*) FILTER (WHERE state = 'pending'))::int AS pending,
           (count(*) FILTER (WHERE state = 'sent'))::int AS done,
           (count(*) FILTER (WHERE state = 'failed_again'))::int AS failed_again,
           (count(*) FILTER (WHERE state = 'discarded'))::int AS discarded,
           (count(*) FILTER (WHERE state = 'cancelled'))::int AS cancelled
      FROM replay_letters WHERE replay_id = r.id) n`;

/** The statements about replays, and the claim that carries them out. */
@Injectable()
export class ReplaysRepository {
  constructor(private readonly dataSource: DataSource) {}

  async insert(manager: EntityManager, replay: ReplayRow & { requested_by: string }, now: Date): Promise<void> {
    const { id, status, rate_per_second, requested_by } = replay;
    await manager.query(
      `INSERT INTO replays (id, status, rate_per_second, requested_by, created_at, next_batch_at) VALUES ($1, $2, $3, $4, $5, now())`,
      [id, status, rate_per_second, requested_by, now],
    );
  }

  async find(id: string, manager?: EntityManager): Promise<ReplayView | null> {
    const rows: ViewRow[] = await (manager ?? this.dataSource).query(`${VIEW} WHERE r.id = $1`, [id]);
    return rows[0] ? viewOf(rows[0]) : null;
  }

  /** Newest first. */
  async list(limit: number, before: string | undefined): Promise<ReplayView[]> {
    const rows: ViewRow[] = await this.dataSource.query(`${VIEW} WHERE ($2::text IS NULL OR r.id < $2) ORDER BY r.id DESC LIMIT $1`, [
      limit,
      before ?? null,
    ]);
    return rows.map(viewOf);
  }

  /** Waits for a batch that is just being sent. */
  async lock(manager: EntityManager, id: string): Promise<ReplayRow | null> {
    const rows: ReplayRow[] = await manager.query('SELECT id, status, rate_per_second FROM replays WHERE id = $1 FOR UPDATE', [id]);
    return rows[0] ?? null;
  }

  async become(manager: EntityManager, id: string, status: ReplayStatus): Promise<void> {
    await manager.query(
      `UPDATE replays SET status = $2, next_batch_at = now(), last_error = NULL,
              finished_at = CASE WHEN $2 IN ('done', 'cancelled') THEN now() END WHERE id = $1`,
      [id, status],
    );
  }

  /** Letters that were about to be sent wait for an operator again. */
  async release(manager: EntityManager, id: string): Promise<string[]> {
    const [rows]: [{ id: string }[], number] = await manager.query(
      `WITH chosen AS MATERIALIZED (SELECT id FROM dead_letters WHERE replay_id = $1 AND status = 'replaying' ORDER BY id FOR UPDATE)
       UPDATE dead_letters d SET status = CASE WHEN d.replays > 0 THEN 'failed_again' ELSE 'open' END FROM chosen WHERE d.id = chosen.id RETURNING d.id`,
      [id],
    );
    return rows.map((row) => row.id);
  }

  /** Whether any replay runs, and whether the next batch of one is due, in someone's hands or not. */
  async look(): Promise<{ running: boolean; due: boolean }> {
    const [row]: { running: boolean; due: boolean | null }[] = await this.dataSource.query(
      `SELECT count(*) > 0 AS running, bool_or(next_batch_at <= now()) AS due FROM replays WHERE status = 'running'`,
    );
    return { running: row?.running ?? false, due: row?.due ?? false };
  }

  /**
   * Locks a running replay whose next batch is due, until the transaction ends: one replica at a time sends for it, so its rate is its rate
   * however many there are. Others pass it over.
   */
  async claim(manager: EntityManager): Promise<ReplayRow | null> {
    const rows: ReplayRow[] = await manager.query(
      `SELECT id, status, rate_per_second FROM replays WHERE status = 'running' AND next_batch_at <= now()
        ORDER BY next_batch_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
    );
    return rows[0] ?? null;
  }

  /** Locks those of the letters that are still to be sent; no more of them than `mostBytes` hold, but one at least. */
  async due(manager: EntityManager, replayId: string, ids: readonly string[], mostBytes: number): Promise<DueLetter[]> {
    return manager.query<DueLetter[]>(
      `WITH sized AS MATERIALIZED (
         SELECT id, sum(octet_length(body) + octet_length(headers)) OVER (ORDER BY id) - octet_length(body) - octet_length(headers) AS before
           FROM dead_letters WHERE id = ANY ($1::text[]) AND status = 'replaying' AND replay_id = $2)
       SELECT d.id, queue, sent_by, edited_from, replays, headers, properties, body FROM dead_letters d
        WHERE id IN (SELECT id FROM sized WHERE before <= $3) AND status = 'replaying' ORDER BY id FOR UPDATE`,
      [ids, replayId, mostBytes],
    );
  }

  /** These have been sent once more. */
  async sent(manager: EntityManager, ids: readonly string[]): Promise<void> {
    await manager.query(`UPDATE dead_letters SET status = 'replayed', replays = replays + 1 WHERE id = ANY ($1::text[])`, [ids]);
  }

  /** No queue takes this one any more. */
  async unroutable(manager: EntityManager, id: string, why: string): Promise<void> {
    await manager.query(`UPDATE dead_letters SET status = 'failed_again', exception = $2 WHERE id = $1`, [id, why]);
  }

  async nextBatchIn(manager: EntityManager, id: string, ms: number, error: string | null): Promise<void> {
    await manager.query(
      `UPDATE replays SET next_batch_at = clock_timestamp() + make_interval(secs => $2::double precision / 1000), last_error = $3 WHERE id = $1`,
      [id, ms, error],
    );
  }
}

function viewOf({ created_at, finished_at, ...row }: ViewRow): ReplayView {
  return { ...row, created_at: created_at.toISOString(), finished_at: finished_at?.toISOString() ?? null };
}
