import type { OperationErrorCode } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';
import { BatchLoader } from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { columnsOf } from '../transactions/columns.repository';
import { byId, MOST_AT_ONCE, oneOf } from '../transactions/at-once.repository';
import type { Fragment } from '../transactions/one-statement';
import { OperationEntity } from './operation.entity';
import type { PhaseRecord } from './operation.rules';

/** An operation with what decides who may see it. */
export interface ShownOperation extends OperationEntity {
  workspace_created_by: string;
}

/** An operation as it was when it was read. */
export interface LoadedOperation extends OperationEntity {
  /** Another one after every write of the row. */
  version: string;
}

/** An operation that missed its deadline, and the trace that it was accepted in. */
export type OverdueOperation = Pick<OperationEntity, 'id' | 'workspace_id' | 'generation'> & { readonly traceparent: string | null };

const ALL = columnsOf(OperationEntity);

const LOADED = `SELECT ${ALL}, xmin::text AS version FROM operations`;

@Injectable()
export class OperationsRepository {
  private readonly loaded = new BatchLoader<LoadedOperation>(
    (ids) => byId(this.dataSource, `${LOADED} WHERE ${oneOf('id')}`, ids),
    MOST_AT_ONCE,
  );

  constructor(private readonly dataSource: DataSource) {}

  /** @param command kept with it, to be sent again while it has not ended */
  insert(operation: OperationEntity, command: OutgoingMessage): Fragment {
    return (bind) =>
      `INSERT INTO operations (id, org_id, workspace_id, kind, status, generation, force, requested_by, correlation_id, created_at, deadline_at,
                               pod_command, resend_at)
       VALUES (${bind(operation.id)}, ${bind(operation.org_id)}, ${bind(operation.workspace_id)}, ${bind(operation.kind)}, ${bind(operation.status)},
               ${bind(operation.generation)}, ${bind(operation.force)}, ${bind(operation.requested_by)}, ${bind(operation.correlation_id)},
               ${bind(operation.created_at)}, ${bind(operation.deadline_at)}, ${bind(JSON.stringify(command))}::json, ${bind(operation.resend_at)}) RETURNING 1`;
  }

  /**
   * The operation; locked, until the transaction ends. Whoever locks its workspace, too, does so first, so that nobody waits in a circle. Not
   * locked, it may be another one by the time that it is written.
   */
  async load(manager: EntityManager, id: string, { locked }: { locked: boolean }): Promise<LoadedOperation | null> {
    if (!locked) return (await this.loaded.load(id)) ?? null;
    const [found] = await manager.query<LoadedOperation[]>(`${LOADED} WHERE id = $1 FOR UPDATE`, [id]);
    return found ?? null;
  }

  /** A step forward, if nobody wrote the operation since it was loaded: the timeline as it is now, and from when on a silence is one. */
  progress({ id, version }: LoadedOperation, phases: readonly PhaseRecord[], resendAt: Date): Fragment {
    return (bind) =>
      `UPDATE operations SET phases = ${bind(JSON.stringify(phases))}::jsonb, resend_at = ${bind(resendAt)},
              status = CASE WHEN status = 'pending' THEN 'running' ELSE status END
        WHERE id = ${bind(id)} AND xmin = ${bind(version)}::xid RETURNING 1`;
  }

  /**
   * Ends an operation that has not ended, if nobody wrote it since it was loaded. (Asked for its status, a planner that last saw none in flight would read
   * all that are, by the index of those, to find this one.)
   */
  finish(
    { id, version }: LoadedOperation,
    { error, stateFrom }: { error: { code: OperationErrorCode; message: string } | null; stateFrom: string | null },
    phases: readonly PhaseRecord[],
    now: Date,
  ): Fragment {
    return (bind) =>
      `UPDATE operations SET status = ${bind(error ? 'failed' : 'succeeded')}, error = ${bind(error && JSON.stringify(error))}::jsonb,
              phases = ${bind(JSON.stringify(phases))}::jsonb, state_from = ${bind(stateFrom)}, finished_at = ${bind(now)}, pod_command = NULL
        WHERE id = ${bind(id)} AND finished_at IS NULL AND xmin = ${bind(version)}::xid RETURNING 1`;
  }

  async find(orgId: string, id: string): Promise<ShownOperation | null> {
    const rows = await this.dataSource.query<ShownOperation[]>(
      `SELECT ${columnsOf(OperationEntity, 'o')}, w.created_by_user_id AS workspace_created_by
         FROM operations o JOIN workspaces w ON w.id = o.workspace_id
        WHERE o.id = $1 AND o.org_id = $2`,
      [id, orgId],
    );
    return rows[0] ?? null;
  }

  /** Operations that have not ended, oldest first, of all tenants. */
  inFlight(limit: number): Promise<OperationEntity[]> {
    return this.dataSource.query<OperationEntity[]>(
      `SELECT ${ALL} FROM operations WHERE status IN ('pending', 'running') ORDER BY created_at LIMIT $1`,
      [limit],
    );
  }

  /**
   * Takes those whose command is to be sent again, and counts it. One that another replica has in hand is passed over; so is one whose command
   * still waits in the outbox: it is not the provisioner that is quiet then.
   */
  async takeQuiet(manager: EntityManager, now: Date, nextAt: Date, limit: number): Promise<OperationEntity[]> {
    return manager.query<OperationEntity[]>(
      `WITH quiet AS (
         SELECT o.id FROM operations o
          WHERE o.status IN ('pending', 'running') AND o.resend_at <= $1 AND o.deadline_at > $1 AND o.pod_command IS NOT NULL
            AND NOT EXISTS (SELECT FROM outbox m WHERE m.properties ->> 'messageId' = o.pod_command ->> 'id')
          ORDER BY o.resend_at LIMIT $3
            FOR UPDATE OF o SKIP LOCKED
       ), taken AS (
         UPDATE operations o SET resends = o.resends + 1, resend_at = $2 FROM quiet WHERE o.id = quiet.id RETURNING ${columnsOf(OperationEntity, 'o')}
       )
       SELECT ${ALL} FROM taken`,
      [now, nextAt, limit],
    );
  }

  /** Makes operations in flight count as quiet; returns how many. */
  async hurry(limit: number): Promise<number> {
    const [, changed] = await this.dataSource.query<[unknown, number]>(
      `UPDATE operations SET resend_at = created_at
        WHERE id IN (SELECT id FROM operations WHERE status IN ('pending', 'running') AND pod_command IS NOT NULL ORDER BY created_at LIMIT $1)`,
      [limit],
    );
    return changed;
  }

  /** Operations past their deadline that have not ended. */
  overdue(now: Date, limit: number): Promise<OverdueOperation[]> {
    return this.dataSource.query<OverdueOperation[]>(
      `SELECT id, workspace_id, generation, pod_command ->> 'traceparent' AS traceparent FROM operations
        WHERE status IN ('pending', 'running') AND deadline_at < $1 ORDER BY deadline_at LIMIT $2`,
      [now, limit],
    );
  }
}
