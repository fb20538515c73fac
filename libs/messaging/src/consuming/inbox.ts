import type { DataSource, EntityManager } from 'typeorm';
import { inTransactionSpan } from '@reprise/platform';
import { table } from '../database/tables';
import type { MessageContext } from './message-context';
import { DeadLetter } from './outcome';

/** A message that was applied before, and the answer that it got then. */
export interface Applied {
  reply: unknown;
}

type Message = Pick<MessageContext, 'id' | 'queue' | 'bodyHash'>;

/**
 * Remembers which messages a consumer has applied, in the transaction that applied them: a message that comes again, whatever the reason, has
 * no second effect and gets the first answer. The consumer's name is its queue.
 *
 * A service that commits in one statement may write the row itself, as a member of its `WITH`:
 * `INSERT INTO <schema>.inbox (consumer, message_id, body_hash, reply) VALUES … ON CONFLICT DO NOTHING RETURNING 1`; without a row returned
 * the message is a repeated one, and {@link find} has its answer.
 */
export class Inbox {
  private readonly inbox: string;

  constructor(schema: string) {
    this.inbox = table(schema, 'inbox');
  }

  /**
   * Runs `work` once for each message and returns what it returned then (as JSON gives it back, from the second time on). Given a data
   * source, it makes the transaction; given a manager, it works in the manager's. A copy that is being handled at this moment elsewhere is
   * waited for. What `work` throws leaves no trace, so a refused message is judged anew when it comes again.
   * @throws DeadLetter `message_id_reused` when the id was used for another message
   */
  async once<T>(database: DataSource | EntityManager, message: Message, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (!isDataSource(database)) return this.onceIn(database, message, work);
    return inTransactionSpan(() => database.transaction((manager) => this.onceIn(manager, message, work)));
  }

  /**
   * Records the message as applied, with its answer. False: it was before, and nothing is written.
   * @throws DeadLetter `message_id_reused`
   */
  async record(manager: EntityManager, message: Message, reply?: unknown): Promise<boolean> {
    const inserted: unknown[] = await manager.query(
      `INSERT INTO ${this.inbox} (consumer, message_id, body_hash, reply) VALUES ($1, $2, $3, $4::jsonb) ON CONFLICT DO NOTHING RETURNING 1`,
      [message.queue, message.id, message.bodyHash, toJson(reply)],
    );
    return inserted.length > 0;
  }

  /**
   * What was answered to the message when it was applied; undefined when it was not.
   * @throws DeadLetter `message_id_reused`
   */
  async find(database: DataSource | EntityManager, message: Message): Promise<Applied | undefined> {
    const [row]: { same: boolean; reply: unknown }[] = await database.query(
      `SELECT body_hash = $3 AS same, reply FROM ${this.inbox} WHERE consumer = $1 AND message_id = $2`,
      [message.queue, message.id, message.bodyHash],
    );
    if (row && !row.same) throw new DeadLetter('message_id_reused', `The message id ${message.id} was used before for another message`);
    return row && { reply: row.reply ?? undefined };
  }

  /**
   * Deletes what is older than `retentionDays`, a batch at a time so that no lock is held for long; returns how many rows. Keep rows longer
   * than dead letters are kept, or a replayed one may have a second effect.
   */
  async prune(dataSource: DataSource, retentionDays: number, batchSize = 5_000): Promise<number> {
    for (let total = 0; ;) {
      const [, deleted]: [unknown, number] = await dataSource.query(
        `DELETE FROM ${this.inbox}
          WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${this.inbox} WHERE received_at < now() - make_interval(days => $1) LIMIT $2))`,
        [retentionDays, batchSize],
      );
      total += deleted;
      if (deleted < batchSize) return total;
    }
  }

  private async onceIn<T>(manager: EntityManager, message: Message, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (!(await this.record(manager, message))) {
      const applied = await this.find(manager, message);
      // A row that was pruned between the two statements: too old to be a repetition, and the next delivery will tell.
      if (!applied) throw new Error(`The inbox row of ${message.id} has just been deleted`);
      return applied.reply as T;
    }
    const reply = await work(manager);
    const json = toJson(reply);
    if (json !== null) {
      await manager.query(`UPDATE ${this.inbox} SET reply = $3::jsonb WHERE consumer = $1 AND message_id = $2`, [
        message.queue,
        message.id,
        json,
      ]);
    }
    return reply;
  }
}

/** Told by what it can do: its class would load all of TypeORM, in services without a database too. */
function isDataSource(database: DataSource | EntityManager): database is DataSource {
  return 'createQueryRunner' in database;
}

function toJson(reply: unknown): string | null {
  return reply === undefined ? null : JSON.stringify(reply);
}
