import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DATABASE_SERVICES, type DatabaseService } from '../database/roles';
import { Failure, reasonOf } from '../failure';
import { PACKAGE } from '../paths';

export const FORMAT = 1;
export const MANIFEST = 'backup.json';

/** What a backup holds. It is written last: a folder without it is not one. */
export interface Manifest {
  format: typeof FORMAT;
  product_version: string;
  /** By the database's clock, of the moment whose rows these are. */
  made_at: string;
  schemas: Record<DatabaseService, SchemaBackup>;
  snapshots: SnapshotsBackup;
}

export interface SchemaBackup {
  /** All that had run, in their order. */
  migrations: string[];
  tables: TableBackup[];
  sequences: SequenceBackup[];
}

export interface TableBackup {
  name: string;
  columns: string[];
  rows: number;
  /** Below the backup's folder. */
  file: string;
  /** Of the file as it is. */
  sha256: string;
}

export interface SequenceBackup {
  name: string;
  /** Text: it may be larger than a number. */
  last_value: string;
  is_called: boolean;
}

export interface SnapshotsBackup {
  /** `s3`: the objects stay in the bucket. */
  store: 'files' | 's3';
  objects: SnapshotObject[];
}

/** The object of a verified snapshot. */
export interface SnapshotObject {
  snapshot_id: string;
  workspace_id: string;
  key: string;
  sha256: string;
  bytes: number;
}

export function productVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
}

/** @throws Failure where the folder is no backup, or one that this version cannot read */
export function readManifest(folder: string): Manifest {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Partial<Manifest>;
  } catch (error) {
    throw new Failure(`${folder} is not a backup: ${reasonOf(error)}`);
  }
  if (manifest.format !== FORMAT) {
    const whose = Number(manifest.format) > FORMAT ? ` of Reprise ${manifest.product_version}, a newer one than this,` : '';
    throw new Failure(`the backup${whose} has the format ${manifest.format}; this is Reprise ${productVersion()}, which reads ${FORMAT}`);
  }
  const { schemas, snapshots } = manifest;
  if (!snapshots || !schemas || DATABASE_SERVICES.some((schema) => !schemas[schema]))
    throw new Failure(`${folder}/${MANIFEST} is not whole`);
  return manifest as Manifest;
}
