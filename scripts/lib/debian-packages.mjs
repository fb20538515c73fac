// @ts-check
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { clearDrafts, draftIn } from './drafts.mjs';
import { Failure } from './failure.mjs';
import { lastLines, run } from './processes.mjs';

/**
 * Debian's and Ubuntu's packages, unpacked into the folder `name` of `tools`: needs no root and installs nothing. Complete or absent: unpacked
 * aside, renamed at the end. Each process has a draft of its own, for a start and a test run may both find nothing.
 * @param {string} tools
 * @param {string} name
 * @param {readonly string[]} packages
 * @param {{ release?: string, finish?: (root: string) => void }} [more] release: of which release of Debian, where not this machine's own; finish: what
 *   is done to the unpacked files before they are put in place
 * @returns {Promise<string>} the folder
 * @throws {Failure} with the last lines of what apt said
 */
export async function unpackPackages(tools, name, packages, { release, finish } = {}) {
  const home = join(tools, name);
  clearDrafts(tools);
  const draft = draftIn(tools, name);
  const debs = join(draft, 'debs');
  for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(draft, folder), { recursive: true });
  mkdirSync(debs, { recursive: true });
  const options = [
    `Dir::State::lists=${join(draft, 'lists')}`,
    `Dir::Cache=${join(draft, 'cache')}`,
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    ...(release ? sourcesOf(release, draft) : []),
  ];
  /** @param {string[]} args */
  const apt = async (...args) => {
    const result = await run('apt-get', [...options.flatMap((option) => ['-o', option]), '-q', ...args], { cwd: debs, abortable: true });
    if (result.code !== 0) throw new Failure(`apt-get ${args[0]} failed:`, lastLines(withoutAddresses(result.output), 5));
  };
  try {
    await apt('update');
    await apt('download', ...packages);
    const root = join(draft, 'root');
    await Promise.all(
      readdirSync(debs).map(async (deb) => {
        const result = await run('dpkg-deb', ['-x', join(debs, deb), root], { abortable: true });
        if (result.code !== 0) throw new Failure(`dpkg-deb could not unpack ${deb}:`, lastLines(result.output, 5));
      }),
    );
    finish?.(root);
    if (!existsSync(home)) renameSync(root, home);
    return home;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const SOURCES = '/etc/apt/sources.list.d/debian.sources';

/** Whether this machine's package manager can fetch from other releases of Debian. */
export const knowsDebian = () => existsSync(SOURCES);

/** apt's options for another release, from where this machine's packages come from. @param {string} release @param {string} draft */
function sourcesOf(release, draft) {
  const folder = join(draft, 'sources');
  mkdirSync(folder);
  const own = readFileSync(SOURCES, 'utf8')
    .split(/\n\s*\n/)
    .find((stanza) => /^Suites:/m.test(stanza) && !/^Suites:.*security/m.test(stanza));
  if (!own) throw new Failure(`${SOURCES} names no release of Debian`);
  writeFileSync(join(folder, 'release.sources'), `${own.trim().replace(/^Suites:.*$/m, `Suites: ${release}`)}\n`);
  return ['Dir::Etc::sourcelist=/dev/null', `Dir::Etc::sourceparts=${folder}`];
}

/** @param {string} name */
export function hasCommand(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, name)));
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where packages come from is the machine's own affair, and may hold a password. @param {string} text */
export function withoutAddresses(text) {
  return text.replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s'"]+/gi, '(address)');
}
