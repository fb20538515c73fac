import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Environment } from '../environment';
import { Failure, wrongUsage } from '../failure';
import { codeOf, copyFile, digestOf, syncFolder } from './files';
import type { SnapshotObject } from './manifest';

/** Where an instance keeps its snapshots: a folder, or a bucket that is no affair of this command. */
export type SnapshotPlace = { store: 'files'; folder: string } | { store: 's3' };

/**
 * By `SNAPSHOT_STORE` and `SNAPSHOTS_DIR`; under `npm start` the folder beside the environment file.
 * @throws Failure where neither says it
 */
export function snapshotPlace(environment: Environment): SnapshotPlace {
  const store = environment.get('SNAPSHOT_STORE') ?? 'files';
  if (store === 's3') return { store };
  if (store !== 'files') throw wrongUsage(`SNAPSHOT_STORE must be one of files, s3 (got "${store}")`);
  const beside = environment.file === undefined ? undefined : join(dirname(environment.file), 'snapshots');
  const given = environment.get('SNAPSHOTS_DIR') ?? (beside !== undefined && existsSync(beside) ? beside : undefined);
  return { store, folder: given ?? environment.need('SNAPSHOTS_DIR', 'the folder of the snapshots, or SNAPSHOT_STORE=s3') };
}

/** The rule of the stores: no segment begins with a dot, so none climbs. */
const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199})*$/;

/** @throws Failure where the key could lead elsewhere */
export function objectPath(folder: string, key: string): string {
  if (!KEY.test(key)) throw new Failure(`${JSON.stringify(key.slice(0, 100))} is not a key of a snapshot`);
  return join(folder, ...key.split('/'));
}

/** `differs`: there is a file, and it is not that of the record. */
export type Found = 'present' | 'missing' | 'differs';

/** Compares an object with its record: the whole of it is read. */
export async function look(folder: string, object: SnapshotObject): Promise<Found> {
  const path = objectPath(folder, object.key);
  try {
    if ((await stat(path)).size !== object.bytes) return 'differs';
    return (await digestOf(path)).sha256 === object.sha256 ? 'present' : 'differs';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'missing';
    throw error;
  }
}

/** What is written aside by the store, and swept by it. */
const INCOMING = '.incoming';
/** What file systems without hard links answer to one. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Puts an object into the folder, whole or not at all. Nothing is overwritten: false where the key is taken. */
export async function putBack(from: string, folder: string, object: SnapshotObject): Promise<boolean> {
  const target = objectPath(folder, object.key);
  const aside = join(folder, INCOMING, randomUUID());
  await mkdir(dirname(aside), { recursive: true });
  await mkdir(dirname(target), { recursive: true });
  try {
    const { sha256 } = await copyFile(objectPath(from, object.key), aside);
    if (sha256 !== object.sha256) throw new Failure(`snapshot ${object.snapshot_id} of the backup changed while it was copied`);
    await moveUnlessTaken(aside, target);
  } catch (error) {
    await rm(aside, { force: true });
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  for (let at = dirname(target); ; at = dirname(at)) {
    await syncFolder(at);
    if (relative(folder, at) === '') return true;
  }
}

/** A rename would replace what is there; a link does not. Where there are no links, a look before the rename has to do. */
async function moveUnlessTaken(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
    if (existsSync(to)) throw Object.assign(new Error(`${to} is there`), { code: 'EEXIST' });
    await rename(from, to);
  }
}
