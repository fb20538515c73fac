import { type Client, escapeIdentifier } from 'pg';
import { DATABASE_SERVICES, type DatabaseService } from '../database/roles';
import type { SequenceBackup, SnapshotObject } from './manifest';

/** TypeORM's own table: the migrations write it, so no backup carries its rows. */
const MIGRATIONS_TABLE = 'migrations';

export const qualified = (schema: string, name: string): string => `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;

export interface Table {
  name: string;
  /** Without those that the database computes. */
  columns: string[];
}

/** The tables of a schema, each after those that its foreign keys name. */
export async function tablesOf(client: Client, schema: DatabaseService): Promise<Table[]> {
  const { rows } = await client.query<Table & { needs: string[] }>(
    `SELECT c.relname AS name,
            ARRAY(SELECT attname::text FROM pg_attribute
                   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum) AS columns,
            ARRAY(SELECT DISTINCT f.relname::text FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
                   WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid) AS needs
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname <> $2
      ORDER BY c.relname`,
    [schema, MIGRATIONS_TABLE],
  );
  return inOrder(rows).map(({ name, columns }) => ({ name, columns }));
}

/** @throws Error where tables need each other in a circle */
export function inOrder<T extends { name: string; needs: string[] }>(tables: T[]): T[] {
  const ordered: T[] = [];
  const left = new Set(tables);
  while (left.size > 0) {
    const free = [...left].filter((table) => [...left].every((other) => !table.needs.includes(other.name)));
    if (free.length === 0) throw new Error(`foreign keys go in a circle: ${[...left].map(({ name }) => name).join(', ')}`);
    for (const table of free) {
      left.delete(table);
      ordered.push(table);
    }
  }
  return ordered;
}

/** Of a schema, with their values; without that of the migrations. Values are of this moment, also in an older transaction: never too low. */
export async function sequencesOf(client: Client, schema: DatabaseService): Promise<SequenceBackup[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT s.relname AS name FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
      WHERE n.nspname = $1 AND s.relkind = 'S'
        AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid
                         WHERE d.objid = s.oid AND d.deptype IN ('a', 'i') AND t.relname = $2)
      ORDER BY s.relname`,
    [schema, MIGRATIONS_TABLE],
  );
  const sequences: SequenceBackup[] = [];
  for (const { name } of rows) {
    const values = await client.query<Omit<SequenceBackup, 'name'>>(
      `SELECT last_value::text AS last_value, is_called FROM ${qualified(schema, name)}`,
    );
    sequences.push({ name, ...values.rows[0]! });
  }
  return sequences;
}

/** The migrations that have run in a schema, in their order; undefined where there is no schema, or none has run. */
export async function migrationsOf(client: Client, schema: DatabaseService): Promise<string[] | undefined> {
  const table = qualified(schema, MIGRATIONS_TABLE);
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
  if (!rows[0]?.there) return undefined;
  const ran = await client.query<{ name: string }>(`SELECT name FROM ${table} ORDER BY "timestamp", id`);
  return ran.rows.length === 0 ? undefined : ran.rows.map(({ name }) => name);
}

/** The tables of Reprise that hold a row, as `schema.table`. */
export async function tablesWithRows(client: Client): Promise<string[]> {
  const filled: string[] = [];
  for (const schema of DATABASE_SERVICES) {
    for (const { name } of await tablesOf(client, schema)) {
      const { rows } = await client.query<{ any: boolean }>(`SELECT EXISTS (SELECT FROM ${qualified(schema, name)}) AS any`);
      if (rows[0]?.any) filled.push(`${schema}.${name}`);
    }
  }
  return filled;
}

/** The objects that verified snapshots are in, each once. */
export async function snapshotObjects(client: Client): Promise<SnapshotObject[]> {
  const { rows } = await client.query<Omit<SnapshotObject, 'bytes'> & { bytes: string }>(
    `SELECT DISTINCT ON (key) id AS snapshot_id, workspace_id, key, stored_sha256 AS sha256, stored_bytes AS bytes
       FROM provisioner.snapshots WHERE status = 'verified' ORDER BY key, id`,
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}
