// @ts-check
import { chownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { run } from './processes.mjs';

/**
 * How to run a program that refuses uid 0, and who has to own its files then.
 * @typedef {{ prefix: string[], uid: number, gid: number }} Unprivileged
 */

const NOBODY = 65534;

/**
 * An ordinary user runs it as it is. Root becomes nobody, where nobody can reach the folders; where a parent folder is closed
 * (a checkout beneath /root), root's own files are used from a user namespace in which we are called nobody.
 * @param {string[]} folders that the program must reach
 * @returns {Promise<Unprivileged>}
 */
export async function unprivileged(folders) {
  const uid = process.getuid?.() ?? -1;
  if (uid !== 0) return { prefix: [], uid, gid: process.getgid?.() ?? -1 };

  const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  const reachable = folders.flatMap((folder, i) => [...(i ? ['-a'] : []), '-x', folder]);
  if (await works([...asNobody, 'test', ...reachable])) return { prefix: asNobody, uid: NOBODY, gid: NOBODY };

  const inNamespace = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
  if (await works([...inNamespace, 'true'])) return { prefix: inNamespace, uid: 0, gid: 0 };

  throw new Failure(
    'PostgreSQL does not run as root, and here root can become nobody neither by setpriv (a parent folder is closed to others) nor by unshare. ' +
      'Start as an ordinary user, move the checkout to a folder that others can enter, or set DATABASE_URL.',
  );
}

/** @param {string[]} command */
async function works([program = '', ...args]) {
  return (await run(program, args)).code === 0;
}

/** Give a folder to the user who is to run on it; nothing is touched where it is theirs already. @param {string} folder @param {Unprivileged} user */
export function handOver(folder, { uid, gid }) {
  if (process.getuid?.() !== 0 || lstatSync(folder).uid === uid) return;
  /** @param {string} path */
  const give = (path) => {
    const entry = lstatSync(path);
    if (entry.isDirectory()) for (const name of readdirSync(path)) give(join(path, name));
    if (!entry.isSymbolicLink()) chownSync(path, uid, gid); // last for a folder: an interrupted run is noticed and done again
  };
  give(folder);
}
