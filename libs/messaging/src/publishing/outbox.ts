import type { EntityManager } from 'typeorm';
import { table } from '../database/tables';
import { handOverAfterCommit } from './after-commit';
import type { Envelope, OutgoingMessage, PreparedMessage } from './envelope';
import { CE } from './headers';
import { uuid7 } from './uuid7';

/** A row of the outbox as its process holds it. */
export interface OutboxRow {
  /** Made here and growing, so that rows are published in the order in which they were appended. */
  id: string;
  message: PreparedMessage;
}

/** Messages ready to be written to the outbox by a statement of one's own. */
export interface OutboxBatch {
  rows: readonly OutboxRow[];
  /** The one parameter of {@link Outbox.insertSql}. */
  parameter: string;
}

/**
 * Messages that commit with the change that they tell of. A row whose `next_attempt_at` is in the future is in the hands of the process that
 * wrote it, which publishes it right after the commit and then deletes it; the relay's sweep takes what is still there after that.
 */
export class Outbox {
  constructor(
    private readonly envelope: Envelope,
    private readonly schema: string,
  ) {}

  /**
   * Writes the messages in the manager's transaction, in one statement. When that transaction commits, this process publishes them at once:
   * nothing else needs to be called. Rolled back, they never were.
   * @throws UnknownMessageTypeError
   */
  async append(manager: EntityManager, messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const batch = this.prepare(messages);
    await manager.query(this.insertSql('$1'), [batch.parameter]);
    handOverAfterCommit(manager.queryRunner, batch.rows);
  }

  /**
   * The same in two parts, for a command that commits in one statement:
   * ```ts
   * const batch = outbox.prepare(messages);
   * await dataSource.query(`WITH changed AS (UPDATE … RETURNING 1), sent AS (${outbox.insertSql('$3', 'EXISTS (SELECT FROM changed)')}) SELECT …`,
   *   [id, generation, batch.parameter]);
   * relay.wake(batch); // only when the rows were written
   * ```
   * @throws UnknownMessageTypeError
   */
  prepare(messages: readonly OutgoingMessage[]): OutboxBatch {
    const rows = messages.map((message) => ({ id: uuid7(), message: this.envelope.prepare(message) }));
    return { rows, parameter: JSON.stringify(rows.map(toRecord)) };
  }

  /**
   * An INSERT that writes a batch; usable as a member of a `WITH`.
   * @param placeholder where the batch's parameter stands, such as `$3`
   * @param condition an SQL condition under which the rows are written at all
   */
  insertSql(placeholder: string, condition = 'TRUE'): string {
    return `INSERT INTO ${table(this.schema, 'outbox')} (id, subject, exchange, routing_key, properties, body)
      SELECT r.id, r.subject, r.exchange, r.routing_key, r.properties, r.body
        FROM json_to_recordset(${placeholder}::json)
          AS r(id uuid, subject text, exchange text, routing_key text, properties jsonb, body text)
       WHERE ${condition}`;
  }
}

function toRecord({ id, message }: OutboxRow): Record<string, unknown> {
  const { exchange, routingKey, properties, body } = message;
  return { id, subject: properties.headers[CE.subject] ?? null, exchange, routing_key: routingKey, properties, body };
}
