import type { OperationErrorCode } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Fragment } from '../transactions/one-statement';
import type { OperationEntity } from './operation.entity';
import type { PhaseRecord } from './operation.rules';

/** An operation with what decides who may see it. */
export interface ShownOperation extends OperationEntity {
  workspace_created_by: string;
}

@Injectable()
export class OperationsRepository {
  constructor(private readonly dataSource: DataSource) {}

  insert(operation: OperationEntity): Fragment {
    return (bind) =>
      `INSERT INTO operations (id, org_id, workspace_id, kind, status, generation, force, requested_by, correlation_id, created_at, deadline_at)
       VALUES (${bind(operation.id)}, ${bind(operation.org_id)}, ${bind(operation.workspace_id)}, ${bind(operation.kind)}, ${bind(operation.status)},
               ${bind(operation.generation)}, ${bind(operation.force)}, ${bind(operation.requested_by)}, ${bind(operation.correlation_id)},
               ${bind(operation.created_at)}, ${bind(operation.deadline_at)}) RETURNING 1`;
  }

  /** The operation, locked until the transaction ends. Lock its workspace first: everyone does, so nobody waits in a circle. */
  async lock(manager: EntityManager, id: string): Promise<OperationEntity | null> {
    const rows = await manager.query<OperationEntity[]>(`SELECT * FROM operations WHERE id = $1 FOR UPDATE`, [id]);
    return rows[0] ?? null;
  }

  progress(id: string, phases: readonly PhaseRecord[]): Fragment {
    return (bind) =>
      `UPDATE operations SET phases = ${bind(JSON.stringify(phases))}::jsonb, status = CASE WHEN status = 'pending' THEN 'running' ELSE status END
        WHERE id = ${bind(id)} RETURNING 1`;
  }

  /** Ends an operation that has not ended. */
  finish(id: string, error: { code: OperationErrorCode; message: string } | null, phases: readonly PhaseRecord[], now: Date): Fragment {
    return (bind) =>
      `UPDATE operations SET status = ${bind(error ? 'failed' : 'succeeded')}, error = ${bind(error && JSON.stringify(error))}::jsonb,
              phases = ${bind(JSON.stringify(phases))}::jsonb, finished_at = ${bind(now)}
        WHERE id = ${bind(id)} AND status IN ('pending', 'running') RETURNING 1`;
  }

  async find(orgId: string, id: string): Promise<ShownOperation | null> {
    const rows = await this.dataSource.query<ShownOperation[]>(
      `SELECT o.*, w.created_by_user_id AS workspace_created_by
         FROM operations o JOIN workspaces w ON w.id = o.workspace_id
        WHERE o.id = $1 AND o.org_id = $2`,
      [id, orgId],
    );
    return rows[0] ?? null;
  }

  /** Operations that have not ended, oldest first, of all tenants. */
  inFlight(limit: number): Promise<OperationEntity[]> {
    return this.dataSource.query<OperationEntity[]>(
      `SELECT * FROM operations WHERE status IN ('pending', 'running') ORDER BY created_at LIMIT $1`,
      [limit],
    );
  }

  /** Operations past their deadline that have not ended. */
  overdue(now: Date, limit: number): Promise<Pick<OperationEntity, 'id' | 'workspace_id' | 'generation'>[]> {
    return this.dataSource.query<OperationEntity[]>(
      `SELECT id, workspace_id, generation FROM operations
        WHERE status IN ('pending', 'running') AND deadline_at < $1 ORDER BY deadline_at LIMIT $2`,
      [now, limit],
    );
  }
}
