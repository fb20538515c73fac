import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { PodLost } from '@reprise/contracts';
import { Outbox, OutboxRelay } from '@reprise/messaging';
import type { DataSource } from 'typeorm';
import type { PodRow } from '../inventory/pods.repository';
import type { PodStatus } from '../jobs/record-changes';
import type { PodIdentity } from '../pods/pod-driver';

const LOCK = 'provisioner reconciler';
const UNFINISHED = `SELECT FROM jobs j WHERE j.workspace_id = pods.workspace_id AND j.status IN ('waiting', 'running')`;

/** What the reconciler reads and corrects. Every write asks again, in itself, whether a job has begun to work at the workspace. */
@Injectable()
export class ReconcilerRepository {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
  ) {}

  /** Runs the work while no other replica does; null where another does. Should this process die, the lock ends with its connection. */
  async alone<T>(work: () => Promise<T>): Promise<T | null> {
    const runner = this.database.createQueryRunner();
    try {
      const [row] = (await runner.query(`SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS yes`, [LOCK])) as { yes: boolean }[];
      if (!row?.yes) return null;
      try {
        return await work();
      } finally {
        // Where this fails the connection is gone, and the lock with it.
        await runner.query(`SELECT pg_advisory_unlock(hashtextextended($1, 0))`, [LOCK]).catch(() => undefined);
      }
    } finally {
      await runner.release();
    }
  }

  /** The pods that are not gone, and what is on record of those that were found. */
  recorded(found: readonly PodIdentity[]): Promise<PodRow[]> {
    return this.database.query(
      `SELECT workspace_id AS "workspaceId", generation, org_id AS "orgId", status, address FROM pods
        WHERE status <> 'gone'
           OR (workspace_id, generation) IN (SELECT f.id, f.number FROM unnest($1::text[], $2::integer[]) AS f(id, number))`,
      [found.map((pod) => pod.workspaceId), found.map((pod) => pod.generation)],
    );
  }

  /** The workspaces with an unfinished job. */
  async busy(): Promise<Set<string>> {
    const rows = await this.database.query<{ workspace_id: string }[]>(
      `SELECT DISTINCT workspace_id FROM jobs WHERE status IN ('waiting', 'running')`,
    );
    return new Set(rows.map((row) => row.workspace_id));
  }

  /**
   * Whether a pod is still on record as it was (null: on none) and no job has the workspace, in one look: a job that ended since the records
   * were read may have made this pod the live one.
   */
  async isStill({ workspaceId, generation }: PodIdentity, status: PodStatus | null): Promise<boolean> {
    const [row] = await this.database.query<{ still: boolean }[]>(
      `SELECT NOT EXISTS (SELECT FROM jobs WHERE workspace_id = $1 AND status IN ('waiting', 'running'))
          AND (SELECT status FROM pods WHERE workspace_id = $1 AND generation = $2) IS NOT DISTINCT FROM $3::text AS still`,
      [workspaceId, generation, status],
    );
    return row?.still === true;
  }

  /** The record and the event at once, so that a loss is told once. False where it is live no more, or a job has the workspace. */
  async reportLost(pod: PodIdentity, orgId: string | null, reason: string): Promise<boolean> {
    const { workspaceId, generation } = pod;
    const data: PodLost = { workspace_id: workspaceId, pod_generation: generation, reason };
    const batch = this.outbox.prepare([{ type: PodLost.type, data, subject: workspaceId, orgId }]);
    const [row] = await this.database.query<{ told: boolean }[]>(
      `WITH lost AS (
         UPDATE pods SET status = 'lost', unsaved = true, updated_at = now()
          WHERE workspace_id = $1 AND generation = $2 AND status = 'live' AND NOT EXISTS (${UNFINISHED})
         RETURNING 1
       ), sent AS (${this.outbox.insertSql('$3', 'EXISTS (SELECT FROM lost)')})
       SELECT EXISTS (SELECT FROM lost) AS told`,
      [workspaceId, generation, batch.parameter],
    );
    if (row?.told) this.relay.wake(batch);
    return row?.told === true;
  }

  async recordGone({ workspaceId, generation }: PodIdentity): Promise<void> {
    await this.database.query(
      `UPDATE pods SET status = 'gone', updated_at = now()
        WHERE workspace_id = $1 AND generation = $2 AND status IN ('creating', 'removing', 'lost') AND NOT EXISTS (${UNFINISHED})`,
      [workspaceId, generation],
    );
  }
}
