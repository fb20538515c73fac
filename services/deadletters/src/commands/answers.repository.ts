import { type Idempotency, refusal } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { RefusedError } from '@reprise/messaging';
import type { EntityManager } from 'typeorm';

/** What each idempotency key was first answered with, in the transaction of the effect. */
@Injectable()
export class AnswersRepository {
  /**
   * The work's answer, or the first one where the key was used before. A copy that is being answered at this moment is waited for.
   * @throws RefusedError `idempotency_key_reused`, and whatever the work throws, which leaves no trace
   */
  async once<T>(manager: EntityManager, orgId: string, { key, request_hash }: Idempotency, now: Date, work: () => Promise<T>): Promise<T> {
    const made: unknown[] = await manager.query(
      'INSERT INTO answers (org_id, key, request_hash, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING 1',
      [orgId, key, request_hash, now],
    );
    if (made.length === 0) return this.first<T>(manager, orgId, key, request_hash);
    const answer = await work();
    await manager.query('UPDATE answers SET answer = $3::jsonb WHERE org_id = $1 AND key = $2', [orgId, key, JSON.stringify(answer)]);
    // Operators ask seldom, so this table stays small; a week is longer than the day that is promised.
    await manager.query(`DELETE FROM answers WHERE created_at < $1::timestamptz - interval '7 days'`, [now]);
    return answer;
  }

  private async first<T>(manager: EntityManager, orgId: string, key: string, hash: string): Promise<T> {
    const rows: { request_hash: string; answer: T }[] = await manager.query(
      'SELECT request_hash, answer FROM answers WHERE org_id = $1 AND key = $2',
      [orgId, key],
    );
    const [row] = rows;
    if (!row) throw new Error('The answer to this key has just been deleted');
    if (row.request_hash !== hash) throw new RefusedError(refusal('idempotency_key_reused'));
    return row.answer;
  }
}
