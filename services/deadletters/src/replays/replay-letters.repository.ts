import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** Which letters a replay has, and how far each is. */
@Injectable()
export class ReplayLettersRepository {
  async add(manager: EntityManager, replayId: string, letterIds: readonly string[]): Promise<void> {
    await manager.query('INSERT INTO replay_letters (replay_id, letter_id) SELECT $1, unnest($2::text[])', [replayId, letterIds]);
  }

  /** The letters that are still to be sent, those that came first first. */
  async pending(manager: EntityManager, replayId: string, limit: number): Promise<string[]> {
    const rows: { letter_id: string }[] = await manager.query(
      `SELECT letter_id FROM replay_letters WHERE replay_id = $1 AND state = 'pending' ORDER BY letter_id LIMIT $2`,
      [replayId, limit],
    );
    return rows.map(({ letter_id }) => letter_id);
  }

  async sent(manager: EntityManager, replayId: string, letterIds: readonly string[]): Promise<void> {
    await manager.query(`UPDATE replay_letters SET state = 'sent' WHERE replay_id = $1 AND letter_id = ANY ($2::text[])`, [
      replayId,
      letterIds,
    ]);
  }

  async failedAgain(manager: EntityManager, replayId: string, letterId: string): Promise<void> {
    await manager.query(
      `UPDATE replay_letters SET state = 'failed_again' WHERE replay_id = $1 AND letter_id = $2 AND state IN ('pending', 'sent')`,
      [replayId, letterId],
    );
  }

  async discarded(manager: EntityManager, letterIds: readonly string[]): Promise<void> {
    await manager.query(`UPDATE replay_letters SET state = 'discarded' WHERE letter_id = ANY ($1::text[]) AND state = 'pending'`, [
      letterIds,
    ]);
  }

  /** Gives up what is not sent yet. */
  async cancel(manager: EntityManager, replayId: string): Promise<void> {
    await manager.query(`UPDATE replay_letters SET state = 'cancelled' WHERE replay_id = $1 AND state = 'pending'`, [replayId]);
  }
}
