import type { DeadLetterEventView } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** Something that was done, or that happened. */
export interface HistoryEvent {
  at: Date;
  letterId?: string;
  replayId?: string;
  action: string;
  actor?: string;
  detail?: Record<string, unknown>;
}

/** What was done, by whom: rows are only ever added, and the table refuses anything else. */
@Injectable()
export class HistoryRepository {
  constructor(private readonly dataSource: DataSource) {}

  async add(manager: EntityManager, { at, letterId, replayId, action, actor, detail = {} }: HistoryEvent): Promise<void> {
    await this.addAll(manager, [letterId ?? null], { at, replayId, action, actor, detail });
  }

  /** The same thing, done to many letters. */
  async addAll(manager: EntityManager, letterIds: readonly (string | null)[], event: Omit<HistoryEvent, 'letterId'>): Promise<void> {
    const { at, replayId = null, action, actor = null, detail = {} } = event;
    await manager.query(
      `INSERT INTO history (at, letter_id, replay_id, action, actor, detail) SELECT $1, id, $3, $4, $5, $6::jsonb FROM unnest($2::text[]) AS id`,
      [at, letterIds, replayId, action, actor, JSON.stringify(detail)],
    );
  }

  /** Whether this death of the letter's message, told at the same time for the same reason after as many attempts, is written down already. */
  async tellsOfDeath(
    manager: EntityManager,
    letterId: string,
    { at, detail }: { at: Date; detail: { reason: string; attempts: number } },
  ): Promise<boolean> {
    const rows: unknown[] = await manager.query(
      `SELECT 1 FROM history WHERE letter_id = $1 AND action IN ('died', 'died_again', 'failed_again')
          AND at = $2 AND detail->>'reason' = $3 AND detail->>'attempts' = $4 LIMIT 1`,
      [letterId, at, detail.reason, String(detail.attempts)],
    );
    return rows.length > 0;
  }

  /** What happened to a letter, oldest first. Who looked at it stands in the table alone. */
  async of(letterId: string): Promise<DeadLetterEventView[]> {
    const rows: (Omit<DeadLetterEventView, 'at'> & { at: Date; replay_id: string | null })[] = await this.dataSource.query(
      `SELECT at, action, actor, detail, replay_id FROM history WHERE letter_id = $1 AND action <> 'letter_read' ORDER BY id LIMIT 1000`,
      [letterId],
    );
    return rows.map(({ at, action, actor, detail, replay_id }) => ({
      at: at.toISOString(),
      action,
      actor,
      detail: replay_id ? { ...detail, replay_id } : detail,
    }));
  }
}
