import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { brokerAddress } from '../broker/address';
import { purgeQueues } from '../broker/purge';
import { setUpBroker } from '../broker/set-up-broker';
import { databaseAddress, withDatabase } from '../database/client';
import { passwordsOf, setUpDatabase } from '../database/roles';
import type { Environment } from '../environment';
import { Failure } from '../failure';
import { tablesWithRows } from './catalogue';
import { codeOf, digestOf } from './files';
import { mustBeStopped } from './in-use';
import { dropSchemas, loadDatabase } from './load-database';
import { type Manifest, type SnapshotObject, readManifest } from './manifest';
import { migrate, mustKnowMigrations } from './migrations';
import { checkRestored, type RestoredCheck } from './restored-check';
import { look, objectPath, putBack, snapshotPlace } from './snapshot-place';

export interface RestoreReport extends RestoredCheck {
  made_at: string;
  product_version: string;
  snapshots_copied_back: number;
  messages_purged: number;
}

export interface RestoreOptions {
  folder: string;
  /** Whether the rows that are in the database may go. */
  replace: boolean;
}

/**
 * Makes an instance what it was at the moment of a backup. Everything that can be refused is refused before anything is changed. What fails
 * after that leaves a database without rows, and can be repeated.
 * @throws Failure
 */
export async function restore(
  environment: Environment,
  { folder, replace }: RestoreOptions,
  tell: (progress: string) => void,
): Promise<RestoreReport> {
  const database = databaseAddress(environment);
  const broker = brokerAddress(environment);
  const place = snapshotPlace(environment);
  const manifest = readManifest(folder);
  const { made_at, product_version, snapshots } = manifest;
  if (snapshots.store !== place.store) {
    throw new Failure(`the backup is of an instance with SNAPSHOT_STORE=${snapshots.store}, and this one has ${place.store}`);
  }

  tell(`checking the backup of ${made_at}`);
  const isOlder = await mustKnowMigrations(manifest);
  await mustBeWhole(folder, manifest);
  await mustBeStopped(database, broker);
  const filled = await withDatabase(database, tablesWithRows);
  if (filled.length > 0 && !replace) {
    throw new Failure(`the database holds rows of Reprise (in ${filled.join(', ')}); --replace discards them for those of the backup`);
  }

  // First the snapshots: where there is no room for them, nothing has gone yet.
  let copiedBack = 0;
  if (place.store === 'files') {
    tell(`${snapshots.objects.length} snapshots into ${place.folder}`);
    copiedBack = await putAllBack(join(folder, 'snapshots'), place.folder, snapshots.objects);
  }
  tell('the database: roles, schemas, and the migrations of the backup');
  await dropSchemas(database);
  const separation = await setUpDatabase(database, passwordsOf(environment));
  await migrate(environment, separation, manifest.schemas);
  tell('the database: rows');
  await loadDatabase(database, manifest, folder);
  if (isOlder) await migrate(environment, separation);
  // Messages of a later time; an outbox of the backup sends its own again.
  await setUpBroker(environment, tell);
  const purged = await purgeQueues(broker);
  tell('checking what was restored');
  return {
    made_at,
    product_version,
    snapshots_copied_back: copiedBack,
    messages_purged: purged,
    ...(await checkRestored(database, place)),
  };
}

/** @throws Failure naming every file that is missing or not what the manifest says */
async function mustBeWhole(folder: string, { schemas, snapshots }: Manifest): Promise<void> {
  const tables = Object.values(schemas).flatMap(({ tables: of }) => of);
  const files = tables.map(({ file, sha256 }) => ({ path: join(folder, file), sha256 }));
  const objects = snapshots.store === 'files' ? snapshots.objects : [];
  files.push(...objects.map(({ key, sha256 }) => ({ path: objectPath(join(folder, 'snapshots'), key), sha256 })));
  const wrong: string[] = [];
  for (const { path, sha256 } of files) {
    const digest = await digestOf(path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (digest?.sha256 !== sha256) wrong.push(`${path} is ${digest ? 'not what it was' : 'missing'}`);
  }
  if (wrong.length > 0) throw new Failure(`the backup is spoiled, and nothing was changed: ${wrong.join('; ')}`);
}

/** What is there already stays, also where it differs: the check tells it. */
async function putAllBack(from: string, folder: string, objects: SnapshotObject[]): Promise<number> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let copied = 0;
  for (const object of objects) {
    if ((await look(folder, object)) === 'missing' && (await putBack(from, folder, object))) copied++;
  }
  return copied;
}
