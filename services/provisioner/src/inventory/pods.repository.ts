import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { PodStatus } from '../jobs/record-changes';

export interface PodRow {
  readonly workspaceId: string;
  readonly generation: number;
  readonly orgId: string | null;
  readonly status: PodStatus;
  readonly address: string | null;
}

const COLUMNS = `workspace_id AS "workspaceId", generation, org_id AS "orgId", status, address`;

/** Reads the records of pods. They are written with the jobs that make and remove them, and by the reconciler. */
@Injectable()
export class PodsRepository {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /** The workspace's pods of older generations that are not confirmed gone, newest first. */
  olderThan(workspaceId: string, generation: number): Promise<PodRow[]> {
    return this.database.query(
      `SELECT ${COLUMNS} FROM pods WHERE workspace_id = $1 AND generation < $2 AND status <> 'gone' ORDER BY generation DESC`,
      [workspaceId, generation],
    );
  }

  /** The workspace's highest accepted generation; 0 where there is none. */
  async highestGeneration(workspaceId: string): Promise<number> {
    const [row] = await this.database.query<{ generation: number }[]>(`SELECT generation FROM fences WHERE workspace_id = $1`, [
      workspaceId,
    ]);
    return row?.generation ?? 0;
  }

  /** The newest of the workspace's older pods that went with state that nobody saved, while no pod has been live since; null where there is none. */
  async unsavedBefore(workspaceId: string, generation: number): Promise<number | null> {
    const [row] = await this.database.query<{ generation: number }[]>(
      `SELECT generation FROM pods WHERE workspace_id = $1 AND generation < $2 AND unsaved ORDER BY generation DESC LIMIT 1`,
      [workspaceId, generation],
    );
    return row?.generation ?? null;
  }

  async find(workspaceId: string, generation: number): Promise<PodRow | null> {
    const [row] = await this.database.query<PodRow[]>(`SELECT ${COLUMNS} FROM pods WHERE workspace_id = $1 AND generation = $2`, [
      workspaceId,
      generation,
    ]);
    return row ?? null;
  }
}
