import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { PodFenceFound, PodLost } from '@reprise/contracts';
import { Outbox } from '@reprise/messaging';
import type { DataSource } from 'typeorm';
import type { PodIdentity } from '../pods/pod-driver';

/** A pod that is there although no record knows of it. */
export interface UnknownPod extends PodIdentity {
  readonly status: 'live' | 'lost';
}

const REPLACED = 'The database was restored to an earlier state: a newer pod has taken its place.';

/** The fences on record, held against those that the driver found. */
@Injectable()
export class FencesRepository {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** Of these fences those that are higher than what is on record of the same workspace. */
  passed(found: readonly PodIdentity[]): Promise<PodIdentity[]> {
    return this.database.query(
      `SELECT d.workspace_id AS "workspaceId", d.generation
         FROM unnest($1::text[], $2::integer[]) AS d(workspace_id, generation)
         JOIN fences f ON f.workspace_id = d.workspace_id AND f.generation < d.generation`,
      [found.map(({ workspaceId }) => workspaceId), found.map(({ generation }) => generation)],
    );
  }

  /** The workspace's pods that are live on record. */
  async live(workspaceId: string): Promise<number[]> {
    const rows = await this.database.query<{ generation: number }[]>(
      `SELECT generation FROM pods WHERE workspace_id = $1 AND status = 'live'`,
      [workspaceId],
    );
    return rows.map(({ generation }) => generation);
  }

  /**
   * Raises one, tells, and writes down the pods of that time that are still there: all at once. False where it stands so high already.
   * @param replaced pods on record that those took the place of: they are gone, with nothing that those did not get from them
   */
  async raise({ workspaceId, generation }: PodIdentity, pods: readonly UnknownPod[], replaced: readonly number[]): Promise<boolean> {
    const data: PodFenceFound = { workspace_id: workspaceId, generation };
    const lost = replaced.map((pod_generation): PodLost => ({ workspace_id: workspaceId, pod_generation, reason: REPLACED }));
    const about = { subject: workspaceId, orgId: null };
    const messages = [...lost.map((each) => ({ type: PodLost.type, data: each, ...about })), { type: PodFenceFound.type, data, ...about }];
    return this.database.transaction(async (manager) => {
      const raised: unknown[] = await manager.query(
        `WITH raised AS (UPDATE fences SET generation = $2 WHERE workspace_id = $1 AND generation < $2 RETURNING 1) SELECT FROM raised`,
        [workspaceId, generation],
      );
      if (raised.length === 0) return false;
      // First these: a workspace has one live pod on record.
      await manager.query(`UPDATE pods SET status = 'gone', updated_at = now() WHERE workspace_id = $1 AND generation = ANY ($2)`, [
        workspaceId,
        replaced,
      ]);
      await manager.query(
        `INSERT INTO pods (workspace_id, generation, org_id, status, unsaved)
         SELECT $1, p.generation, (SELECT o.org_id FROM pods o WHERE o.workspace_id = $1 LIMIT 1), p.status, p.status = 'lost'
           FROM unnest($2::integer[], $3::text[]) AS p(generation, status)
         ON CONFLICT (workspace_id, generation) DO UPDATE SET status = EXCLUDED.status, unsaved = EXCLUDED.unsaved, updated_at = now()`,
        [workspaceId, pods.map((pod) => pod.generation), pods.map(({ status }) => status)],
      );
      await this.outbox.append(manager, messages);
      return true;
    });
  }
}
