import { type Client } from 'pg';
import { type DatabaseAddress, withDatabase } from '../database/client';
import { DATABASE_SERVICES } from '../database/roles';
import { qualified, snapshotObjects, tablesOf } from './catalogue';
import type { SnapshotObject } from './manifest';
import { look, type SnapshotPlace } from './snapshot-place';

/** How an instance stands once it is restored. */
export interface RestoredCheck {
  /** By `schema.table`. */
  rows: Record<string, number>;
  /** By status; archived ones apart. */
  workspaces: Record<string, number>;
  snapshots: {
    store: 'files' | 's3';
    verified: number;
    /** Null where the objects are in a bucket, which this command does not look into. */
    present: number | null;
    missing: Named[];
    differ: Named[];
  };
  /** Stopped or failed, and the snapshot that they name is no verified one. */
  without_their_snapshot: string[];
  /** Stopped or failed, and never saved: they resume with empty files, unless their pod left some. */
  never_saved: string[];
}

type Named = Pick<SnapshotObject, 'snapshot_id' | 'workspace_id' | 'key'>;

export async function checkRestored(address: DatabaseAddress, place: SnapshotPlace): Promise<RestoredCheck> {
  const { objects, ...told } = await withDatabase(address, async (client) => ({
    rows: await countRows(client),
    workspaces: await workspacesByStatus(client),
    ...(await unsaved(client)),
    objects: await snapshotObjects(client),
  }));
  const snapshots: RestoredCheck['snapshots'] = { store: place.store, verified: objects.length, present: null, missing: [], differ: [] };
  if (place.store === 'files') {
    snapshots.present = 0;
    for (const object of objects) {
      const found = await look(place.folder, object);
      const { snapshot_id, workspace_id, key } = object;
      if (found === 'present') snapshots.present++;
      else snapshots[found === 'missing' ? 'missing' : 'differ'].push({ snapshot_id, workspace_id, key });
    }
  }
  return { ...told, snapshots };
}

export const isWhole = ({ snapshots, without_their_snapshot }: RestoredCheck): boolean =>
  snapshots.missing.length + snapshots.differ.length + without_their_snapshot.length === 0;

async function countRows(client: Client): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const schema of DATABASE_SERVICES) {
    for (const { name } of await tablesOf(client, schema)) {
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${qualified(schema, name)}`);
      counts[`${schema}.${name}`] = Number(rows[0]?.count);
    }
  }
  return counts;
}

async function workspacesByStatus(client: Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ status: string; count: string }>(
    `SELECT CASE WHEN archived_at IS NULL THEN status ELSE 'archived' END AS status, count(*) FROM lifecycle.workspaces GROUP BY 1 ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
}

async function unsaved(client: Client): Promise<Pick<RestoredCheck, 'without_their_snapshot' | 'never_saved'>> {
  const { rows } = await client.query<{ id: string; saved: boolean }>(
    `SELECT w.id, w.snapshot_ref IS NOT NULL AS saved FROM lifecycle.workspaces w
      WHERE w.status IN ('stopped', 'failed') AND w.archived_at IS NULL
        AND NOT EXISTS (SELECT FROM provisioner.snapshots s WHERE s.workspace_id = w.id AND s.status = 'verified')
      ORDER BY w.id`,
  );
  const ids = (saved: boolean): string[] => rows.filter((row) => row.saved === saved).map(({ id }) => id);
  return { without_their_snapshot: ids(true), never_saved: ids(false) };
}
