import { BatchLoader } from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { OperationEntity } from '../operations/operation.entity';
import type { ProviderEntity } from '../providers/provider.entity';
import type { RoleEntity } from '../roles/role.entity';
import { columnsOf } from '../transactions/columns.repository';
import { byId, MOST_AT_ONCE, oneOf } from '../transactions/at-once.repository';
import type { Embedded } from '../transactions/embedded';
import type { Fragment } from '../transactions/one-statement';
import { ASKED_AGAIN_SECONDS } from './checkpoint.rules';
import { WorkspaceEntity } from './workspace.entity';

/** A workspace with what a decision about it rests on. */
export interface LoadedWorkspace extends WorkspaceEntity {
  /** Another one after every write of the row, whatever it changed. */
  version: string;
  role: Embedded<RoleEntity>;
  provider: Embedded<ProviderEntity>;
}

/** A workspace as it is shown. */
export interface ShownWorkspace extends WorkspaceEntity {
  role_version: number;
  operation: Embedded<OperationEntity> | null;
}

export interface WorkspaceFilter {
  orgId: string;
  /** Only what this caller created. */
  createdBy: string | null;
  includeArchived: boolean;
  roleId: string | null;
  status: string | null;
  /** Only those older than this one. */
  before: string | null;
  limit: number;
}

/** Who requests the resume of a workspace that lost its pod. */
export const POD_LOST = 'reprise:pod-lost';

/** A workspace whose pod was lost, and that is failed for it. */
export type LostWorkspace = Pick<WorkspaceEntity, 'id' | 'org_id' | 'generation'> & { lost_at: Date };

/** A workspace that has been idle for longer than its role allows. */
export type IdleWorkspace = Pick<WorkspaceEntity, 'id' | 'org_id'> & { idle_since: Date };

/** What a write may change. */
export type WorkspaceChange = Partial<
  Pick<
    WorkspaceEntity,
    | 'status'
    | 'generation'
    | 'pod_generation'
    | 'pod_role_version'
    | 'lost_generation'
    | 'lost_at'
    | 'snapshot_ref'
    | 'last_snapshot_error'
    | 'failure'
    | 'operation_id'
    | 'running_task_id'
    | 'saved_at'
    | 'checkpoint_asked_at'
    | 'background_work'
    | 'archived_at'
  >
>;

const COLUMNS: readonly (keyof WorkspaceChange)[] = [
  'status',
  'generation',
  'pod_generation',
  'pod_role_version',
  'lost_generation',
  'lost_at',
  'snapshot_ref',
  'last_snapshot_error',
  'failure',
  'operation_id',
  'running_task_id',
  'saved_at',
  'checkpoint_asked_at',
  'background_work',
  'archived_at',
];

const COLUMNS_OF_ONE = columnsOf(WorkspaceEntity, 'w');

const LOADED = `SELECT ${COLUMNS_OF_ONE}, w.xmin::text AS version, to_jsonb(r) AS role, to_jsonb(p) AS provider
  FROM workspaces w JOIN roles r ON r.id = w.role_id JOIN providers p ON p.id = r.provider_id`;

const SHOWN = `SELECT ${COLUMNS_OF_ONE}, r.version AS role_version, to_jsonb(o) - 'pod_command' AS operation
  FROM workspaces w JOIN roles r ON r.id = w.role_id LEFT JOIN operations o ON o.id = w.operation_id`;

@Injectable()
export class WorkspacesRepository {
  private readonly loaded = new BatchLoader<LoadedWorkspace>(
    (ids) => byId(this.dataSource, `${LOADED} WHERE ${oneOf('w.id')}`, ids),
    MOST_AT_ONCE,
  );
  private readonly shown = new BatchLoader<ShownWorkspace>(
    (ids) => byId(this.dataSource, `${SHOWN} WHERE ${oneOf('w.id')}`, ids),
    MOST_AT_ONCE,
  );

  constructor(private readonly dataSource: DataSource) {}

  /**
   * The workspace, locked until the transaction ends, with its role and provider as they are at that moment.
   * @param orgId null for a fact, which is about the workspace whoever owns it
   */
  async lock(manager: EntityManager, id: string, orgId: string | null): Promise<LoadedWorkspace | null> {
    const rows = await manager.query<LoadedWorkspace[]>(
      `${LOADED} WHERE w.id = $1 AND ($2::text IS NULL OR w.org_id = $2) FOR UPDATE OF w`,
      [id, orgId],
    );
    return rows[0] ?? null;
  }

  /** The same as it is now, for reading: it may be another one by the time that it is written. */
  async look(id: string, orgId: string | null): Promise<LoadedWorkspace | null> {
    const found = await this.loaded.load(id);
    return found && (orgId === null || found.org_id === orgId) ? found : null;
  }

  load(manager: EntityManager, id: string, orgId: string | null, { locked }: { locked: boolean }): Promise<LoadedWorkspace | null> {
    return locked ? this.lock(manager, id, orgId) : this.look(id, orgId);
  }

  insert(workspace: WorkspaceEntity): Fragment {
    return (bind) =>
      `INSERT INTO workspaces (id, org_id, role_id, environment, status, generation, created_by_user_id, operation_id, created_at, updated_at)
       VALUES (${bind(workspace.id)}, ${bind(workspace.org_id)}, ${bind(workspace.role_id)}, ${bind(workspace.environment)}, ${bind(workspace.status)},
               ${bind(workspace.generation)}, ${bind(workspace.created_by_user_id)}, ${bind(workspace.operation_id)}, ${bind(workspace.created_at)},
               ${bind(workspace.updated_at)}) RETURNING 1`;
  }

  /**
   * Writes the change if the workspace is still as it was loaded: the generation, the status and the row's version stand in the condition. Since
   * when it is idle follows from the status, here and nowhere else; and a loss is remembered as long as the status that it caused.
   */
  update(loaded: Pick<LoadedWorkspace, 'id' | 'generation' | 'status' | 'version'>, change: WorkspaceChange, now: Date): Fragment {
    return (bind) => {
      const sets = COLUMNS.filter((column) => change[column] !== undefined).map((column) => `${column} = ${bind(change[column])}`);
      if (change.status !== undefined && change.status !== loaded.status) {
        sets.push(`idle_since = ${bind(change.status === 'idle' ? now : null)}`);
        if (change.lost_at === undefined) sets.push(`lost_at = NULL`);
      }
      return `UPDATE workspaces SET ${[...sets, `updated_at = ${bind(now)}`].join(', ')}
               WHERE id = ${bind(loaded.id)} AND generation = ${bind(loaded.generation)} AND status = ${bind(loaded.status)}
                 AND xmin = ${bind(loaded.version)}::xid RETURNING 1`;
    };
  }

  async find(orgId: string, id: string): Promise<ShownWorkspace | null> {
    const found = await this.shown.load(id);
    return found?.org_id === orgId ? found : null;
  }

  /** Those that have been idle for longer than their roles allow, of all tenants, the longest first. */
  idleTooLong(now: Date, limit: number): Promise<IdleWorkspace[]> {
    return this.dataSource.query<IdleWorkspace[]>(
      `SELECT w.id, w.org_id, w.idle_since
         FROM workspaces w JOIN roles r ON r.id = w.role_id
        WHERE w.status = 'idle' AND r.idle_timeout_seconds > 0
          AND w.idle_since <= $1::timestamptz - r.idle_timeout_seconds * interval '1 second'
        ORDER BY w.idle_since LIMIT $2`,
      [now, limit],
    );
  }

  /** Those of which a checkpoint is due (`isCheckpointDue`), of all tenants. */
  checkpointDue(now: Date, limit: number): Promise<Pick<WorkspaceEntity, 'id' | 'generation'>[]> {
    return this.dataSource.query(
      `SELECT w.id, w.generation
         FROM workspaces w JOIN roles r ON r.id = w.role_id
        WHERE w.status = 'idle' AND w.pod_generation IS NOT NULL AND r.checkpoint_interval_seconds > 0
          AND (w.saved_at IS NULL OR w.idle_since > w.saved_at OR w.background_work)
          AND coalesce(w.saved_at, w.idle_since) <= $1::timestamptz - r.checkpoint_interval_seconds * interval '1 second'
          AND (w.checkpoint_asked_at IS NULL
               OR w.checkpoint_asked_at <= $1::timestamptz - least(r.checkpoint_interval_seconds, $2) * interval '1 second')
        ORDER BY w.idle_since LIMIT $3`,
      [now, ASKED_AGAIN_SECONDS, limit],
    );
  }

  /**
   * Those that lost their pods and whose roles want them resumed, of all tenants, the longest lost first; but none that was resumed for it
   * `most` times since then already.
   */
  lostToResume(since: Date, most: number, limit: number): Promise<LostWorkspace[]> {
    return this.dataSource.query<LostWorkspace[]>(
      `SELECT w.id, w.org_id, w.generation, w.lost_at
         FROM workspaces w JOIN roles r ON r.id = w.role_id
        WHERE w.lost_at IS NOT NULL AND w.status = 'failed' AND w.archived_at IS NULL AND r.on_pod_lost = 'resume'
          AND $2 > (SELECT count(*) FROM operations o WHERE o.workspace_id = w.id AND o.requested_by = $3 AND o.created_at > $1)
        ORDER BY w.lost_at LIMIT $4`,
      [since, most, POD_LOST, limit],
    );
  }

  /** It stays failed until someone resumes it. */
  async leaveLost({ id, generation }: LostWorkspace): Promise<void> {
    await this.dataSource.query(`UPDATE workspaces SET lost_at = NULL WHERE id = $1 AND generation = $2 AND status = 'failed'`, [
      id,
      generation,
    ]);
  }

  /** A page, newest first, of at most `limit`. */
  page(filter: WorkspaceFilter): Promise<ShownWorkspace[]> {
    const values: unknown[] = [];
    const bind = (value: unknown): string => `$${values.push(value)}`;
    const where = [`w.org_id = ${bind(filter.orgId)}`];
    if (filter.createdBy !== null) where.push(`w.created_by_user_id = ${bind(filter.createdBy)}`);
    if (!filter.includeArchived) where.push('w.archived_at IS NULL');
    if (filter.roleId !== null) where.push(`w.role_id = ${bind(filter.roleId)}`);
    if (filter.status !== null) where.push(`w.status = ${bind(filter.status)}`);
    if (filter.before !== null) where.push(`w.id < ${bind(filter.before)}`);
    return this.dataSource.query<ShownWorkspace[]>(
      `${SHOWN} WHERE ${where.join(' AND ')} ORDER BY w.id DESC LIMIT ${bind(filter.limit)}`,
      values,
    );
  }
}
