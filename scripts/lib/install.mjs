// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { run } from './processes.mjs';
import { withoutAddresses } from './debian-packages.mjs';
import { ROOT } from './state.mjs';

const LOCK = join(ROOT, 'package-lock.json');
const STAMP = join(ROOT, 'node_modules', '.reprise-lock');

/** @typedef {{ version?: string, integrity?: string, dev?: boolean, optional?: boolean, devOptional?: boolean, link?: boolean, resolved?: string }} Package */

/**
 * What is installed: all that the checkout can need, or what it takes to build and run it (`dependencies` and `optionalDependencies`), which is half
 * of that in packages and in time.
 * @typedef {'all' | 'to run'} Extent
 */

/** Install what package-lock.json says, unless that is what stands there. @param {Extent} extent */
export async function install(extent) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new Failure(`this is Node ${process.versions.node}; 20.19 or later is needed`);
  if (!existsSync(LOCK)) throw new Failure('package-lock.json is missing: the checkout is not complete');
  if (stamped() === 'all' || stamped() === extent || isInstalled(extent)) return 'skip: already there';
  const env = { ...process.env };
  // Set to production it would leave out what is asked for by --include.
  delete env.NODE_ENV;
  const what = extent === 'all' ? '--include=dev' : '--omit=dev';
  // `npm ci` begins by taking away what is there, and services may run on that: what is missing is put beside it.
  const how = stamped() === 'to run' || isInstalled('to run') ? ['install', '--no-save'] : ['ci'];
  const args = [...how, what, '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  // The npm that runs us, where one does: there may be another on the PATH.
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [command = 'npm', ...rest] = [...npm, ...args];
  const result = await run(command, rest, { cwd: ROOT, env, abortable: true });
  if (result.code !== 0) throw new Failure('npm could not install the packages:', reason(result.output));
  writeFileSync(STAMP, stampOf(extent));
  return 'done';
}

/** What npm says was wrong: some of its errors are followed by a page of its usage. @param {string} output */
function reason(output) {
  const lines = output.split('\n').filter((line) => !/complete log of this run|^npm error\s*$/.test(line));
  const usage = lines.findIndex((line) => /^npm error (Clean install a project|Usage:)/.test(line));
  const told = lines.slice(0, usage < 0 ? undefined : usage);
  const short = told.length > 12 ? [...told.slice(0, 6), '…', ...told.slice(-6)] : told;
  return withoutAddresses(short.join('\n').trimEnd());
}

/** @param {Extent} extent */
const stampOf = (extent) => `${extent}: ${createHash('sha256').update(readFileSync(LOCK)).digest('hex')}`;

/** How much of what the lock says now was installed here last; npm removes the stamp with the folder. @returns {Extent | null} */
function stamped() {
  const stamp = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : null;
  if (stamp === stampOf('all')) return 'all';
  return stamp === stampOf('to run') ? 'to run' : null;
}

/** Recognizes an install made by hand: npm writes down in node_modules what it put there, when it is complete. @param {Extent} extent */
function isInstalled(extent) {
  const wanted = packagesOf(LOCK);
  const present = packagesOf(join(ROOT, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, integrity, dev, optional, devOptional }]) => {
    if (path === '' || (extent === 'to run' && dev)) return true;
    const there = present[path];
    if (!there) return optional === true || devOptional === true;
    return there.version === version && there.integrity === integrity;
  });
}

/** @param {string} file @returns {Record<string, Package> | null} */
function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : null;
}
