// @ts-check
import { existsSync, lstatSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { hasCommand, isExecutable, knowsDebian, unpackPackages } from './debian-packages.mjs';
import { Failure } from './failure.mjs';

/**
 * A RabbitMQ to run: the folders for PATH, the variables that its scripts need, and lines for its configuration.
 * @typedef {{ sbin: string, path: string, env: Record<string, string>, settings?: string[] }} RabbitmqBinaries
 */

const ERLANG = 'base asn1 crypto eldap inets mnesia os-mon parsetools public-key runtime-tools ssl syntax-tools tools xmerl';
const PACKAGES = ['rabbitmq-server', ...ERLANG.split(' ').map((part) => `erlang-${part}`)];

/** What is on the machine already, or null. @returns {RabbitmqBinaries | null} */
export function installedRabbitmq() {
  const path = process.env.PATH ?? '';
  const folders = path.split(delimiter);
  if (!folders.some((folder) => isExecutable(join(folder, 'erl')))) return null;
  // Debian's command on the PATH is a wrapper that becomes the system's rabbitmq user: look beneath it first.
  const candidates = [...versionsIn('/usr/lib/rabbitmq/lib'), ...folders];
  const sbin = candidates.find((folder) => isExecutable(join(folder, 'rabbitmq-server')));
  return sbin ? { sbin, path: [sbin, path].join(delimiter), env: {} } : null;
}

/**
 * Debian's and Ubuntu's packages, unpacked into a private folder: needs no root and installs nothing. Null where the machine has
 * no apt; a failure of apt itself is thrown with its own last lines.
 * @param {string} tools
 * @returns {Promise<RabbitmqBinaries | null>}
 */
export async function unpackedRabbitmq(tools) {
  const home = join(tools, 'rabbitmq');
  if (!existsSync(home)) {
    if (!hasCommand('apt-get') || !hasCommand('dpkg-deb')) return null;
    await unpackPackages(tools, 'rabbitmq', PACKAGES, { finish: settle });
  }
  return binariesIn(home);
}

/** Debian 13 has RabbitMQ 4.0, whose programs need that release's libraries. */
const RELEASE_WITH_4 = 'trixie';
const LIBRARIES = ['libc6', 'libgcc-s1', 'libstdc++6', 'libtinfo6', 'zlib1g', 'libzstd1', 'libssl3t64', 'libsystemd0', 'libcap2'];

/** Deprecated, and none may be used: 4.0 permits them all, while 4.3, which the image `rabbitmq:4` is by now, refuses transient queues. */
const DEPRECATED = ['transient_nonexcl_queues', 'global_qos', 'queue_master_locator', 'ram_node_type'];

/** Why RabbitMQ 4 cannot be had on this machine; null where it can. @returns {string | null} */
export function hindranceToRabbitmq4() {
  const missing = ['apt-get', 'dpkg-deb'].filter((command) => !hasCommand(command));
  return missing.length === 0 && knowsDebian() ? null : 'its packages are fetched with the package manager of Debian';
}

/**
 * RabbitMQ 4 from the packages of Debian 13, with the libraries that these need: also on an older Debian, without root.
 * @param {string} tools
 * @returns {Promise<RabbitmqBinaries>}
 */
export async function unpackedRabbitmq4(tools) {
  const home = join(tools, 'rabbitmq-4');
  if (!existsSync(home)) {
    const why = hindranceToRabbitmq4();
    if (why !== null) throw new Failure(`there is no RabbitMQ 4 to run: ${why}`);
    const finish = (/** @type {string} */ root) => {
      settle(root);
      useOwnLibraries(join(root, 'usr/lib/erlang'));
    };
    await unpackPackages(tools, 'rabbitmq-4', [...PACKAGES, ...LIBRARIES], { release: RELEASE_WITH_4, finish });
  }
  return { ...binariesIn(home), settings: DEPRECATED.map((feature) => `deprecated_features.permit.${feature} = false`) };
}

/** @param {string} root */
function settle(root) {
  relocate(join(root, 'usr/lib/erlang'));
  prune(join(root, 'usr/lib/rabbitmq/lib'));
}

/** @param {string} home @returns {RabbitmqBinaries} */
function binariesIn(home) {
  const erlang = join(home, 'usr/lib/erlang');
  const sbin = versionsIn(join(home, 'usr/lib/rabbitmq/lib'))[0];
  if (!sbin) throw new Failure(`${home} holds no RabbitMQ: remove that folder and start again`);
  return {
    sbin,
    path: [sbin, join(erlang, 'bin'), process.env.PATH ?? ''].join(delimiter),
    env: { REPRISE_ERLANG_ROOT: erlang },
  };
}

/**
 * Erlang's start scripts have their place baked in: let them take it from the environment, so that a checkout may be moved.
 * `start` and the copies beneath erts matter too: by them the virtual machine starts epmd.
 * @param {string} erlang
 */
function relocate(erlang) {
  const runtime = readdirSync(erlang).filter((name) => name.startsWith('erts-'));
  for (const folder of ['bin', ...runtime.map((name) => join(name, 'bin'))]) {
    for (const script of ['erl', 'start']) {
      const file = join(erlang, folder, script);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('=/usr/lib/erlang', '="$REPRISE_ERLANG_ROOT"'));
    }
  }
}

/**
 * Erlang's programs are started by the loader that was unpacked beside them, so that they get its libraries and not the machine's, which may be too old.
 * @param {string} erlang
 */
function useOwnLibraries(erlang) {
  const lib = join(erlang, '..');
  const folder = readdirSync(lib).find((name) => readLoader(join(lib, name)) !== undefined);
  if (!folder) throw new Failure(`no loader of programs was unpacked into ${lib}`);
  const libraries = `$REPRISE_ERLANG_ROOT/../${folder}`;
  for (const file of programsIn(erlang)) {
    renameSync(file, `${file}.elf`);
    const command = `exec "${libraries}/${readLoader(join(lib, folder))}" --library-path "${libraries}" --argv0 "$0"`;
    writeFileSync(file, `#!/bin/sh\n${command} "$REPRISE_ERLANG_ROOT/${relative(erlang, file)}.elf" "$@"\n`, { mode: 0o755 });
  }
}

/** @param {string} folder @returns {string | undefined} */
function readLoader(folder) {
  if (!lstatSync(folder).isDirectory()) return undefined;
  return readdirSync(folder).find((name) => /^ld-linux-.*\.so\.\d+$/.test(name));
}

/** The executable files in the format of Linux that are no libraries. @param {string} folder @returns {string[]} */
function programsIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return programsIn(path);
    const isProgram = entry.isFile() && !entry.name.endsWith('.so') && isExecutable(path);
    return isProgram && readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF' ? [path] : [];
  });
}

const UNUSED_PLUGINS =
  /^(amqp10_client|eetcd|gun|rabbitmq_(amqp1_0|auth_\w+|aws|event_exchange|federation\w*|jms\w*|mqtt|peer_discovery_(aws|consul|etcd|k8s)|random\w*|recent\w*|sharding|shovel\w*|stomp|stream|stream_management|top|tracing|trust_store|web_(mqtt|stomp)\w*))-/;

/** Erlang looks for each module in every plugin's folder in turn: without the ones that nothing here enables, a start takes 4 s instead of 5.5. @param {string} versions */
function prune(versions) {
  for (const version of readdirSync(versions)) {
    const plugins = join(versions, version, 'plugins');
    for (const name of readdirSync(plugins)) if (UNUSED_PLUGINS.test(name)) rmSync(join(plugins, name), { recursive: true });
  }
}

/** The folders with RabbitMQ's own scripts, newest version first. @param {string} folder */
function versionsIn(folder) {
  if (!existsSync(folder)) return [];
  const versions = readdirSync(folder).filter((name) => name.startsWith('rabbitmq_server-'));
  return versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true })).map((name) => join(folder, name, 'sbin'));
}
