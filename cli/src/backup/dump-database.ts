import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Client, escapeIdentifier } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { type DatabaseAddress, withDatabase } from '../database/client';
import { DATABASE_SERVICES, type DatabaseService } from '../database/roles';
import { Failure } from '../failure';
import { migrationsOf, qualified, sequencesOf, snapshotObjects, type Table, tablesOf } from './catalogue';
import { Measure, newFile, syncFolder } from './files';
import type { Manifest, SchemaBackup, SnapshotObject, TableBackup } from './manifest';

const FOLDER = 'database';

export interface DatabaseDump extends Pick<Manifest, 'made_at' | 'schemas'> {
  /** What the rows name, as far as it is verified. */
  objects: SnapshotObject[];
}

/** Writes the rows of all services into files: those of one moment, since the schemas belong together. @throws Failure */
export function dumpDatabase(address: DatabaseAddress, folder: string): Promise<DatabaseDump> {
  return withDatabase(address, async (client) => {
    await mkdir(join(folder, FOLDER), { mode: 0o700 });
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ now: Date }>('SELECT now()');
    const schemas: Partial<Manifest['schemas']> = {};
    for (const schema of DATABASE_SERVICES) schemas[schema] = await dumpSchema(client, schema, folder);
    const objects = await snapshotObjects(client);
    await client.query('COMMIT');
    await syncFolder(join(folder, FOLDER));
    return { made_at: rows[0]!.now.toISOString(), schemas: schemas as Manifest['schemas'], objects };
  });
}

async function dumpSchema(client: Client, schema: DatabaseService, folder: string): Promise<SchemaBackup> {
  const migrations = await migrationsOf(client, schema);
  if (!migrations) throw new Failure(`there is nothing to back up: no migration has run in the schema ${schema} of this database`);
  const tables: TableBackup[] = [];
  for (const table of await tablesOf(client, schema)) tables.push(await dumpTable(client, schema, table, folder));
  return { migrations, tables, sequences: await sequencesOf(client, schema) };
}

async function dumpTable(client: Client, schema: DatabaseService, { name, columns }: Table, folder: string): Promise<TableBackup> {
  const file = `${FOLDER}/${schema}.${name}.gz`;
  const rows = client.query(copyTo(`COPY ${qualified(schema, name)} (${columns.map(escapeIdentifier).join(', ')}) TO STDOUT`));
  const measure = new Measure();
  await pipeline(rows, createGzip(), measure, newFile(join(folder, file)));
  return { name, columns, rows: rows.rowCount, file, sha256: measure.digest().sha256 };
}
