import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { columnsOf } from '../transactions/columns.repository';
import type { Fragment } from '../transactions/one-statement';
import { ProviderEntity } from './provider.entity';

const ALL = columnsOf(ProviderEntity);
const LISTED = columnsOf(ProviderEntity, undefined, ['config']);

/** A provider as a list reads it. */
export type ListedProvider = Omit<ProviderEntity, 'config'>;

@Injectable()
export class ProvidersRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The provider, locked for a change until the transaction ends. */
  async lock(manager: EntityManager, orgId: string, id: string): Promise<ProviderEntity | null> {
    const rows = await manager.query<ProviderEntity[]>(`SELECT ${ALL} FROM providers WHERE org_id = $1 AND id = $2 FOR UPDATE`, [
      orgId,
      id,
    ]);
    return rows[0] ?? null;
  }

  /** The provider, held against change until the transaction ends. */
  async lockForUse(manager: EntityManager, orgId: string, id: string): Promise<ProviderEntity | null> {
    const rows = await manager.query<ProviderEntity[]>(`SELECT ${ALL} FROM providers WHERE org_id = $1 AND id = $2 FOR SHARE`, [orgId, id]);
    return rows[0] ?? null;
  }

  insert(provider: ProviderEntity): Fragment {
    return (bind) =>
      `INSERT INTO providers (id, org_id, name, kind, config, created_at, updated_at)
       VALUES (${bind(provider.id)}, ${bind(provider.org_id)}, ${bind(provider.name)}, ${bind(provider.kind)},
               ${bind(JSON.stringify(provider.config))}::jsonb, ${bind(provider.created_at)}, ${bind(provider.updated_at)}) RETURNING 1`;
  }

  /** Writes the provider as it now is; it was locked when it was loaded. */
  update(provider: ProviderEntity): Fragment {
    return (bind) =>
      `UPDATE providers SET name = ${bind(provider.name)}, kind = ${bind(provider.kind)}, config = ${bind(JSON.stringify(provider.config))}::jsonb,
              updated_at = ${bind(provider.updated_at)}, archived_at = ${bind(provider.archived_at)}
        WHERE id = ${bind(provider.id)} RETURNING 1`;
  }

  /** Raises the version of every role of the provider: their pods are stale. */
  raiseRoles(id: string, now: Date): Fragment {
    return (bind) => `UPDATE roles SET version = version + 1, updated_at = ${bind(now)} WHERE provider_id = ${bind(id)} RETURNING 1`;
  }

  /** How many workspaces of the provider's roles run: are neither stopped nor failed. */
  async running(manager: EntityManager, id: string): Promise<number> {
    const [row] = await manager.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM workspaces w JOIN roles r ON r.id = w.role_id
        WHERE r.provider_id = $1 AND w.status NOT IN ('stopped', 'failed')`,
      [id],
    );
    return row?.count ?? 0;
  }

  /** The roles of the provider that are not archived, locked. */
  async rolesToArchive(manager: EntityManager, id: string): Promise<string[]> {
    const rows = await manager.query<{ id: string }[]>(
      `SELECT id FROM roles WHERE provider_id = $1 AND archived_at IS NULL ORDER BY id FOR UPDATE`,
      [id],
    );
    return rows.map((row) => row.id);
  }

  archiveRoles(ids: readonly string[], now: Date): Fragment {
    return (bind) =>
      `UPDATE roles SET archived_at = ${bind(now)}, updated_at = ${bind(now)} WHERE id = ANY (${bind(ids)}::text[]) RETURNING 1`;
  }

  async find(orgId: string, id: string): Promise<ProviderEntity | null> {
    const rows = await this.dataSource.query<ProviderEntity[]>(`SELECT ${ALL} FROM providers WHERE org_id = $1 AND id = $2`, [orgId, id]);
    return rows[0] ?? null;
  }

  /** A page, newest first. */
  page(orgId: string, includeArchived: boolean, before: string | null, limit: number): Promise<ListedProvider[]> {
    return this.dataSource.query<ListedProvider[]>(
      `SELECT ${LISTED} FROM providers WHERE org_id = $1 AND ($2 OR archived_at IS NULL) AND ($3::text IS NULL OR id < $3) ORDER BY id DESC LIMIT $4`,
      [orgId, includeArchived, before, limit],
    );
  }
}
