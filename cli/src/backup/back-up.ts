import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { databaseAddress } from '../database/client';
import type { Environment } from '../environment';
import { Failure, reasonOf, wrongUsage } from '../failure';
import { dumpDatabase } from './dump-database';
import { codeOf, copyFile, newFile, syncFolder } from './files';
import { FORMAT, type Manifest, MANIFEST, productVersion, type SnapshotObject } from './manifest';
import { objectPath, snapshotPlace } from './snapshot-place';

const DEFAULT_KEPT_HOURS = 24;
const HOUR_MS = 3_600_000;

export interface BackupReport {
  folder: string;
  manifest: Manifest;
  seconds: number;
  /** Set where the copy took longer than retention keeps what a backup may name. */
  warning: string | null;
}

/**
 * Writes a backup: first the database, then the snapshots that it names, which stay for as long as `SNAPSHOTS_KEPT_HOURS` says. The folder is
 * there whole, or not at all.
 * @throws Failure where the folder exists, the database has nothing, or a snapshot is not what its record says
 */
export async function backUp(environment: Environment, folder: string, tell: (progress: string) => void): Promise<BackupReport> {
  const address = databaseAddress(environment);
  const place = snapshotPlace(environment);
  if (existsSync(folder)) throw wrongUsage(`${folder} exists already; a backup is written into a new folder`);
  if (!existsSync(dirname(folder))) throw wrongUsage(`there is no folder ${dirname(folder)} to write the backup into`);
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  const aside = `${folder}.${randomBytes(4).toString('hex')}.partial`;
  await mkdir(aside, { mode: 0o700 });
  try {
    tell('the database: all rows of one moment');
    const { objects, ...database } = await dumpDatabase(address, aside);
    const snapshots = { store: place.store, objects };
    const manifest: Manifest = { format: FORMAT, product_version: productVersion(), ...database, snapshots };
    if (place.store === 'files') {
      tell(`${objects.length} snapshots of ${place.folder}`);
      await copySnapshots(place.folder, join(aside, 'snapshots'), objects, () => tooLong(environment, elapsed()));
    }
    await writeManifest(aside, manifest);
    await rename(aside, folder);
    await syncFolder(dirname(folder));
    return { folder, manifest, seconds: Math.round(elapsed() / 1_000), warning: tooLong(environment, elapsed()) };
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error instanceof Failure ? error : new Failure(`the backup was not made: ${reasonOf(error)}`);
  }
}

/** @throws Failure naming all that is missing or spoiled */
async function copySnapshots(from: string, to: string, objects: SnapshotObject[], late: () => string | null): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  const wrong: string[] = [];
  const folders = new Set([to]);
  for (const object of objects) {
    const target = objectPath(to, object.key);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    folders.add(dirname(target));
    const what = `snapshot ${object.snapshot_id} of workspace ${object.workspace_id}`;
    try {
      const { sha256, bytes } = await copyFile(objectPath(from, object.key), target);
      if (sha256 !== object.sha256 || bytes !== object.bytes) wrong.push(`${what} is not what its record says`);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      wrong.push(`${what} is missing`);
    }
  }
  if (wrong.length > 0)
    throw new Failure(['no backup was made', ...wrong.map((one) => `${one} (${from})`), late()].filter(Boolean).join('; '));
  for (const folder of folders) await syncFolder(folder);
}

async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await pipeline([`${JSON.stringify(manifest, null, 2)}\n`], newFile(join(folder, MANIFEST)));
  await syncFolder(folder);
}

function tooLong(environment: Environment, elapsedMs: number): string | null {
  const kept = Number(environment.get('SNAPSHOTS_KEPT_HOURS') ?? DEFAULT_KEPT_HOURS);
  if (elapsedMs <= kept * HOUR_MS) return null;
  return `the backup took ${(elapsedMs / HOUR_MS).toFixed(1)} hours, and snapshots that it names are kept for ${kept}: raise SNAPSHOTS_KEPT_HOURS`;
}
