import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ProviderEntity } from '../providers/provider.entity';
import { columnsOf } from '../transactions/columns.repository';
import type { Fragment } from '../transactions/one-statement';
import type { Embedded } from '../transactions/embedded';
import { RoleEntity } from './role.entity';

/** A role with its provider. */
export interface RoleInUse {
  role: Embedded<RoleEntity>;
  provider: Embedded<ProviderEntity>;
}

const ALL = columnsOf(RoleEntity);
const LISTED = columnsOf(RoleEntity, undefined, ['env', 'secret_env', 'command']);

/** A role as a list reads it. Its command is null where those before it fill a page: it is not shown then. */
export type ListedRole = Omit<RoleEntity, 'env' | 'secret_env'>;

@Injectable()
export class RolesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * The role and its provider, both held against change until the transaction ends: whoever archives them waits, so that no workspace slips
   * in beneath an archive.
   */
  async lockForUse(manager: EntityManager, orgId: string, by: { id: string } | { name: string }): Promise<RoleInUse | null> {
    const [column, value] = 'id' in by ? ['id', by.id] : ['name', by.name];
    const rows = await manager.query<RoleInUse[]>(
      `SELECT to_jsonb(r) AS role, to_jsonb(p) AS provider
         FROM roles r JOIN providers p ON p.id = r.provider_id
        WHERE r.org_id = $1 AND r.${column} = $2
          FOR SHARE`,
      [orgId, value],
    );
    return rows[0] ?? null;
  }

  /**
   * The same as part of a statement: one row where neither is archived, none where one is. Both are held until the statement is committed, so that
   * whoever archives them sees what it brings up.
   */
  usable(id: string): Fragment {
    return (bind) =>
      `SELECT 1 FROM roles r JOIN providers p ON p.id = r.provider_id
        WHERE r.id = ${bind(id)} AND r.archived_at IS NULL AND p.archived_at IS NULL FOR SHARE`;
  }

  /** The role, locked for a change until the transaction ends. */
  async lock(manager: EntityManager, orgId: string, id: string): Promise<RoleEntity | null> {
    const rows = await manager.query<RoleEntity[]>(`SELECT ${ALL} FROM roles WHERE org_id = $1 AND id = $2 FOR UPDATE`, [orgId, id]);
    return rows[0] ?? null;
  }

  /** How many workspaces of the role run: are neither stopped nor failed. */
  async running(manager: EntityManager, id: string): Promise<number> {
    const [row] = await manager.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM workspaces WHERE role_id = $1 AND status NOT IN ('stopped', 'failed')`,
      [id],
    );
    return row?.count ?? 0;
  }

  insert(role: RoleEntity): Fragment {
    return (bind) =>
      `INSERT INTO roles (id, org_id, provider_id, name, display_name, command, env, secret_env, task_timeout_seconds, idle_timeout_seconds, runtime,
                          on_pod_lost, checkpoint_interval_seconds, version, created_at, updated_at)
       VALUES (${bind(role.id)}, ${bind(role.org_id)}, ${bind(role.provider_id)}, ${bind(role.name)}, ${bind(role.display_name)},
               ${bind(JSON.stringify(role.command))}::jsonb, ${bind(JSON.stringify(role.env))}::jsonb, ${bind(JSON.stringify(role.secret_env))}::jsonb, ${bind(role.task_timeout_seconds)},
               ${bind(role.idle_timeout_seconds)}, ${bind(JSON.stringify(role.runtime))}::jsonb, ${bind(role.on_pod_lost)},
               ${bind(role.checkpoint_interval_seconds)}, ${bind(role.version)}, ${bind(role.created_at)}, ${bind(role.updated_at)}) RETURNING 1`;
  }

  /** Writes the role as it now is, if nobody changed it since it was loaded. */
  update(role: RoleEntity, loadedVersion: number): Fragment {
    return (bind) =>
      `UPDATE roles SET provider_id = ${bind(role.provider_id)}, name = ${bind(role.name)}, display_name = ${bind(role.display_name)},
              command = ${bind(JSON.stringify(role.command))}::jsonb, env = ${bind(JSON.stringify(role.env))}::jsonb,
              secret_env = ${bind(JSON.stringify(role.secret_env))}::jsonb,
              task_timeout_seconds = ${bind(role.task_timeout_seconds)}, idle_timeout_seconds = ${bind(role.idle_timeout_seconds)},
              runtime = ${bind(JSON.stringify(role.runtime))}::jsonb, on_pod_lost = ${bind(role.on_pod_lost)},
              checkpoint_interval_seconds = ${bind(role.checkpoint_interval_seconds)},
              version = ${bind(role.version)}, updated_at = ${bind(role.updated_at)}, archived_at = ${bind(role.archived_at)}
        WHERE id = ${bind(role.id)} AND version = ${bind(loadedVersion)} RETURNING 1`;
  }

  find(orgId: string, id: string): Promise<RoleEntity | null> {
    return this.one(`org_id = $1 AND id = $2`, [orgId, id]);
  }

  findByName(orgId: string, name: string): Promise<RoleEntity | null> {
    return this.one(`org_id = $1 AND name = $2`, [orgId, name]);
  }

  /** A page, newest first. @param bytes how much of commands is read for it */
  page(orgId: string, includeArchived: boolean, before: string | null, limit: number, bytes: number): Promise<ListedRole[]> {
    return this.dataSource.query<ListedRole[]>(
      `SELECT ${LISTED}, CASE WHEN sum(size) OVER (ORDER BY id DESC) - size <= $5 THEN command END AS command
         FROM (SELECT ${ALL}, octet_length(command::text) AS size FROM roles
                WHERE org_id = $1 AND ($2 OR archived_at IS NULL) AND ($3::text IS NULL OR id < $3) ORDER BY id DESC LIMIT $4) r
        ORDER BY id DESC`,
      [orgId, includeArchived, before, limit, bytes],
    );
  }

  private async one(condition: string, values: unknown[]): Promise<RoleEntity | null> {
    const rows = await this.dataSource.query<RoleEntity[]>(`SELECT ${ALL} FROM roles WHERE ${condition}`, values);
    return rows[0] ?? null;
  }
}
