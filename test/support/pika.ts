import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './settings';

const FINDER = pathToFileURL(resolve(ROOT, 'scripts/lib/python-pika.mjs')).href;
/** Jest runs CommonJS and cannot import the launcher's modules, so a Node of its own does. */
const FIND = `
  const { pikaPath } = await import(process.argv[1]);
  const found = await pikaPath(process.argv[2]).then((path) => ({ path }), (error) => ({ missing: error.message }));
  console.log(JSON.stringify(found));`;

/** What PYTHONPATH must be for python3 to have pika, or why it cannot have it. Synchronous: jest asks before it knows its tests. */
export function findPika(): { path: string } | { missing: string } {
  const args = ['--input-type=module', '-e', FIND, '--', FINDER, resolve(ROOT, '.reprise/tools')];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 })) as { path: string } | { missing: string };
}
