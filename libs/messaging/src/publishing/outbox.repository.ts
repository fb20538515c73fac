import type { DataSource, EntityManager } from 'typeorm';
import { table } from '../database/tables';
import { MOST_COUNTED } from '../metrics/messaging.metrics';
import type { PreparedMessage } from './envelope';
import type { OutboxRow } from './outbox';

/** A message that the broker returned or did not confirm. */
export interface FailedRow {
  id: string;
  error: string;
  unroutable: boolean;
}

interface Claimed {
  id: string;
  exchange: string;
  routing_key: string;
  properties: PreparedMessage['properties'];
  body: string;
}

/** The longest pause between two attempts to publish one row. */
const MAX_BACKOFF_SECONDS = 60;

/** The statements of the relay. */
export class OutboxRepository {
  private readonly outbox: string;

  constructor(
    private readonly dataSource: DataSource,
    schema: string,
  ) {
    this.outbox = table(schema, 'outbox');
  }

  inTransaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(work);
  }

  /**
   * Locks the oldest rows that are due, until the transaction ends; rows that another replica holds are passed over. By what is there, never
   * by `id > last`: a transaction that commits late would be missed for good (measured).
   * @param except ids that this process is publishing at this moment
   */
  async claim(manager: EntityManager, limit: number, except: readonly string[]): Promise<OutboxRow[]> {
    const rows: Claimed[] = await manager.query(
      `SELECT id, exchange, routing_key, properties, body
         FROM ${this.outbox}
        WHERE next_attempt_at <= now() AND id <> ALL ($2::uuid[])
        ORDER BY id
        LIMIT $1
          FOR UPDATE SKIP LOCKED`,
      [limit, except],
    );
    return rows.map(({ id, exchange, routing_key: routingKey, properties, body }) => ({
      id,
      message: { exchange, routingKey, properties, body },
    }));
  }

  /** Forgets rows that the broker has. */
  async remove(ids: readonly string[], manager?: EntityManager): Promise<void> {
    await (manager ?? this.dataSource).query(`DELETE FROM ${this.outbox} WHERE id = ANY ($1::uuid[])`, [ids]);
  }

  /** Keeps rows for another attempt: after 1 s, then twice as long each time, to a minute at most. */
  async postpone(rows: readonly FailedRow[], manager?: EntityManager): Promise<void> {
    await (manager ?? this.dataSource).query(
      `UPDATE ${this.outbox} AS o
          SET attempts = o.attempts + 1,
              last_error = f.error,
              next_attempt_at = now() + least(${MAX_BACKOFF_SECONDS}, power(2, least(o.attempts, 10))) * interval '1 second'
         FROM json_to_recordset($1::json) AS f(id uuid, error text)
        WHERE o.id = f.id`,
      [JSON.stringify(rows)],
    );
  }

  /** How many messages wait, up to a number, and for how long the oldest has: by the primary key, so it costs the same however many there are. */
  async waiting(): Promise<{ count: number; oldestSeconds: number }> {
    const [row]: { count: number; seconds: number | null }[] = await this.dataSource.query(
      `SELECT (SELECT count(*)::int FROM (SELECT FROM ${this.outbox} LIMIT ${MOST_COUNTED}) counted) AS count,
              (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM ${this.outbox} ORDER BY id LIMIT 1) AS seconds`,
    );
    return { count: row?.count ?? 0, oldestSeconds: Math.max(0, row?.seconds ?? 0) };
  }
}
