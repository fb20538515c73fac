import { type Idempotency, refusal } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { RefusedError } from '@reprise/messaging';
import type { EntityManager } from 'typeorm';

/** Whose key it is: the same key of another operator is another key. */
export interface KeyOwner {
  orgId: string;
  caller: string;
}

/**
 * A row that the version before wrote has no caller: it is of whoever the history of the same moment names. (One of its replicas may still write such rows
 * during an upgrade.)
 */
const OF_CALLER = `(k.caller = $2 OR (k.caller = '' AND EXISTS (SELECT FROM history h WHERE h.at = k.created_at AND h.actor = $2)))`;

/** What each idempotency key was first answered with, in the transaction of the effect. */
@Injectable()
export class AnswersRepository {
  /**
   * The work's answer, or the first one where this operator used the key before. A copy that is being answered at this moment is waited for.
   * @throws RefusedError `idempotency_key_reused`, and whatever the work throws, which leaves no trace
   */
  async once<T>(
    manager: EntityManager,
    owner: KeyOwner,
    { key, request_hash }: Idempotency,
    now: Date,
    work: () => Promise<T>,
  ): Promise<T> {
    const made: unknown[] = await manager.query(
      `INSERT INTO answers (org_id, caller, key, request_hash, created_at)
       SELECT $1, $2, $3, $4, $5
        WHERE NOT EXISTS (SELECT FROM answers k WHERE k.org_id = $1 AND k.key = $3 AND k.caller = '' AND ${OF_CALLER})
       ON CONFLICT DO NOTHING RETURNING 1`,
      [owner.orgId, owner.caller, key, request_hash, now],
    );
    if (made.length === 0) return this.first<T>(manager, owner, key, request_hash);
    const answer = await work();
    await manager.query('UPDATE answers SET answer = $4::jsonb WHERE org_id = $1 AND caller = $2 AND key = $3', [
      owner.orgId,
      owner.caller,
      key,
      JSON.stringify(answer),
    ]);
    // Operators ask seldom, so this table stays small; a week is longer than the day that is promised.
    await manager.query(`DELETE FROM answers WHERE created_at < $1::timestamptz - interval '7 days'`, [now]);
    return answer;
  }

  private async first<T>(manager: EntityManager, { orgId, caller }: KeyOwner, key: string, hash: string): Promise<T> {
    const rows: { request_hash: string; answer: T }[] = await manager.query(
      `SELECT k.request_hash, k.answer FROM answers k WHERE k.org_id = $1 AND k.key = $3 AND ${OF_CALLER} ORDER BY k.caller DESC LIMIT 1`,
      [orgId, caller, key],
    );
    const [row] = rows;
    if (!row) throw new Error('The answer to this key has just been deleted');
    if (row.request_hash !== hash) throw new RefusedError(refusal('idempotency_key_reused'));
    return row.answer;
  }
}
