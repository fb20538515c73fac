import type { DeadLetterFilter, DeadLetterGroupView } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { conditionOf, Parameters } from './letter-filter';
import type { LetterRow, WholeLetterRow } from './letter.view';

/** A letter that is not there yet. */
export interface NewLetter extends Omit<WholeLetterRow, 'bytes' | 'deaths' | 'replays' | 'edited_to'> {
  identity: Buffer;
}

const SHOWN = `id, status, message_id, type, queue, org_id, workspace_id, reason, exception, attempts, deaths, replays, fingerprint,
  first_failed_at, last_failed_at, octet_length(body) AS bytes, replay_id, edited_from, edited_to`;
const WHOLE = `${SHOWN}, stack, sent_by, headers, properties, body`;

/** The statements about letters. */
@Injectable()
export class LettersRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Adds the letter, unless its message has one; returns whether it did. */
  async insert(manager: EntityManager, letter: NewLetter): Promise<boolean> {
    const entries = Object.entries(letter) as [string, unknown][];
    const made: unknown[] = await manager.query(
      `INSERT INTO dead_letters (${entries.map(([column]) => column).join(', ')}) VALUES (${entries.map((_, i) => `$${i + 1}`).join(', ')})
       ON CONFLICT (identity) DO NOTHING RETURNING 1`,
      entries.map(([, value]) => value),
    );
    return made.length > 0;
  }

  /** The letter of a message, locked until the transaction ends. */
  async lockByIdentity(manager: EntityManager, identity: Buffer): Promise<LetterRow> {
    const rows: LetterRow[] = await manager.query(`SELECT ${SHOWN} FROM dead_letters WHERE identity = $1 FOR UPDATE`, [identity]);
    return rows[0]!;
  }

  /** Counts one more death of a letter that is locked. */
  async diedAgain(manager: EntityManager, id: string, status: string, replays: number): Promise<void> {
    await manager.query(`UPDATE dead_letters SET status = $2, replays = greatest(replays, $3), deaths = deaths + 1 WHERE id = $1`, [
      id,
      status,
      replays,
    ]);
  }

  /** Makes this death the one that its letter tells of, unless that is of a later one, or this is of another's copy. */
  async showLatestDeath(manager: EntityManager, id: string, letter: NewLetter): Promise<void> {
    const { reason, exception, stack, attempts, fingerprint, last_failed_at, headers, properties, sent_by } = letter;
    await manager.query(
      `UPDATE dead_letters SET reason = $2, exception = $3, stack = $4, attempts = $5, fingerprint = $6, last_failed_at = $7, headers = $8,
              properties = $9
        WHERE id = $1 AND last_failed_at <= $7 AND sent_by IS NOT DISTINCT FROM $10`,
      [id, reason, exception, stack, attempts, fingerprint, last_failed_at, headers, properties, sent_by],
    );
  }

  /** Newest first; those before the letter `before`. */
  list(filter: DeadLetterFilter, limit: number, before: string | undefined): Promise<LetterRow[]> {
    const parameters = new Parameters();
    const page = before === undefined ? '' : `AND id < ${parameters.bind(before)}`;
    const condition = conditionOf(filter, parameters);
    return this.dataSource.query<LetterRow[]>(
      `SELECT ${SHOWN} FROM dead_letters WHERE ${condition} ${page} ORDER BY id DESC LIMIT ${parameters.bind(limit)}`,
      parameters.values,
    );
  }

  async groups(filter: DeadLetterFilter, limit: number): Promise<DeadLetterGroupView[]> {
    const parameters = new Parameters();
    const condition = conditionOf(filter, parameters);
    const rows: (Omit<DeadLetterGroupView, 'first_failed_at' | 'last_failed_at'> & Record<'first' | 'last', Date>)[] =
      await this.dataSource.query(
        `SELECT fingerprint AS "group", min(type) AS type, min(queue) AS queue, min(reason) AS reason, min(exception) AS exception,
                count(*)::int AS count, min(first_failed_at) AS first, max(last_failed_at) AS last
           FROM dead_letters WHERE ${condition}
          GROUP BY fingerprint ORDER BY count(*) DESC, fingerprint LIMIT ${parameters.bind(limit)}`,
        parameters.values,
      );
    return rows.map(({ first, last, ...row }) => ({ ...row, first_failed_at: first.toISOString(), last_failed_at: last.toISOString() }));
  }

  async find(id: string): Promise<WholeLetterRow | null> {
    const rows = await this.dataSource.query<WholeLetterRow[]>(`SELECT ${WHOLE} FROM dead_letters WHERE id = $1`, [id]);
    return rows[0] ?? null;
  }

  async lock(manager: EntityManager, id: string): Promise<WholeLetterRow | null> {
    const rows = await manager.query<WholeLetterRow[]>(`SELECT ${WHOLE} FROM dead_letters WHERE id = $1 FOR UPDATE`, [id]);
    return rows[0] ?? null;
  }

  /**
   * Moves every letter that fits the filter from one of these statuses to another; returns their ids. They are locked in the order of their
   * ids, as everyone does, so that nobody waits in a circle.
   */
  async move(
    manager: EntityManager,
    filter: DeadLetterFilter,
    { from, to, replayId }: { from: readonly string[]; to: string; replayId?: string },
  ): Promise<string[]> {
    const parameters = new Parameters();
    const set = [`status = ${parameters.bind(to)}`, ...(replayId === undefined ? [] : [`replay_id = ${parameters.bind(replayId)}`])];
    const [rows]: [{ id: string }[], number] = await manager.query(
      `WITH chosen AS MATERIALIZED (
         SELECT id FROM dead_letters WHERE ${conditionOf(filter, parameters)} AND status = ANY (${parameters.bind(from)}::text[]) ORDER BY id FOR UPDATE
       )
       UPDATE dead_letters d SET ${set.join(', ')} FROM chosen WHERE d.id = chosen.id RETURNING d.id`,
      parameters.values,
    );
    return rows.map(({ id }) => id);
  }

  async linkEdited(manager: EntityManager, from: string, to: string): Promise<void> {
    await manager.query(`UPDATE dead_letters SET status = 'discarded', edited_to = $2 WHERE id = $1`, [from, to]);
  }
}
