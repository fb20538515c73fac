import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Client, escapeIdentifier } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type DatabaseAddress, withDatabase } from '../database/client';
import { DATABASE_SERVICES, type DatabaseService } from '../database/roles';
import { Failure, reasonOf } from '../failure';
import { qualified, tablesOf } from './catalogue';
import type { Manifest, SchemaBackup } from './manifest';

/** Takes away the schemas of all services, with all that is in them. */
export function dropSchemas(address: DatabaseAddress): Promise<void> {
  return withDatabase(address, async (client) => {
    await client.query(DATABASE_SERVICES.map((schema) => `DROP SCHEMA IF EXISTS ${schema} CASCADE;`).join('\n'));
  });
}

/**
 * Loads the rows of a backup into tables that the same migrations have made: all of them, or none.
 * @throws Failure naming the table that could not be loaded
 */
export function loadDatabase(address: DatabaseAddress, manifest: Manifest, folder: string): Promise<void> {
  return withDatabase(address, async (client) => {
    await client.query('BEGIN');
    for (const schema of DATABASE_SERVICES) await loadSchema(client, schema, manifest.schemas[schema], folder);
    await client.query('COMMIT');
  });
}

async function loadSchema(client: Client, schema: DatabaseService, { tables, sequences }: SchemaBackup, folder: string): Promise<void> {
  const backups = new Map(tables.map((table) => [table.name, table]));
  const present = await tablesOf(client, schema);
  const strange = tables.find(({ name }) => !present.some((table) => table.name === name));
  if (strange) throw new Failure(`the backup has a table ${schema}.${strange.name}, which its migrations do not make`);
  const all = present.map(({ name }) => qualified(schema, name));
  // Rows come as they were: no trigger looks at them. What a migration wrote into its tables is in the backup, too.
  for (const table of all) await client.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  if (all.length > 0) await client.query(`TRUNCATE ${all.join(', ')}`);
  for (const { name } of present) {
    const table = backups.get(name);
    if (!table) continue;
    try {
      const columns = table.columns.map(escapeIdentifier).join(', ');
      const into = client.query(copyFrom(`COPY ${qualified(schema, name)} (${columns}) FROM STDIN`));
      await pipeline(createReadStream(join(folder, table.file)), createGunzip(), into);
      if (into.rowCount !== table.rows) throw new Error(`${into.rowCount} rows of ${table.rows}`);
    } catch (error) {
      throw new Failure(`the table ${schema}.${name} could not be loaded, and no table was: ${reasonOf(error)}`);
    }
  }
  for (const table of all) await client.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
  for (const { name, last_value, is_called } of sequences) {
    await client.query('SELECT setval($1::regclass, $2::bigint, $3)', [qualified(schema, name), last_value, is_called]);
  }
}
