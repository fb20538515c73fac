// @ts-check
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { clearDrafts, draftIn } from './drafts.mjs';
import { Failure } from './failure.mjs';
import { findProcesses, lastLines, run, terminate } from './processes.mjs';
import { handOver, unprivileged } from './unprivileged.mjs';
import { until } from './wait.mjs';

/**
 * A private PostgreSQL cluster: on loopback alone, by password alone (other users of the machine reach loopback too).
 * @typedef {object} Cluster
 * @property {string} folder holds the data and the log
 * @property {number} port
 * @property {string} user the administrator
 * @property {string} password
 * @property {string} database made together with the cluster
 * @property {boolean} durable false only where losing everything at a crash is fine
 * @property {string} [certificates] a folder with server.crt and server.key: the server takes TLS besides
 */

/** @param {string} folder */
const dataOf = (folder) => join(folder, 'data');

/** The servers that run on a folder: one at most, told by its arguments, since a pid file may be stale. @param {string} folder */
export function postgresProcesses(folder) {
  return serversWhere((data, pid) => data === dataOf(folder) || workingFolder(pid) === dataOf(folder));
}

/** @param {(data: string, pid: number) => boolean} matches */
function serversWhere(matches) {
  return findProcesses(
    ([program = '', option, data = ''], pid) => /(^|\/)postgres$/.test(program) && option === '-D' && matches(data, pid),
  );
}

/** The server works in its data: so it is found also after the checkout was moved beneath it. @param {number} pid */
function workingFolder(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null; // another user's, or a system without /proc
  }
}

/**
 * Start the server, making the cluster the first time. Leaves one that runs already alone.
 * @param {Cluster} cluster
 * @param {import('./postgres-binaries.mjs').PostgresBinaries} binaries
 */
export async function startPostgres(cluster, binaries) {
  if (serversWhere((data) => data === dataOf(cluster.folder)).length > 0) return;
  await stopPostgres(cluster.folder); // one that runs here under another name: its programs and libraries are no longer where they were
  mkdirSync(cluster.folder, { recursive: true, mode: 0o700 });
  chmodSync(cluster.folder, 0o700);
  const user = await unprivileged([binaries.folder, join(cluster.folder, '..')]);
  if (process.getuid?.() !== 0 && statSync(cluster.folder).uid !== user.uid) {
    throw new Failure(`the database in ${cluster.folder} belongs to another user: start as that user, or remove the state folder`);
  }
  handOver(cluster.folder, user);
  /** @type {Server} */
  const server = { cluster, binaries, user };
  if (!existsSync(dataOf(cluster.folder))) await makeCluster(server);
  // Left by a kill -9. PostgreSQL sees through it by itself unless a process of this user got the same pid; and no server runs here.
  rmSync(join(dataOf(cluster.folder), 'postmaster.pid'), { force: true });
  await launch(server);
}

/** @typedef {{ cluster: Cluster, binaries: import('./postgres-binaries.mjs').PostgresBinaries, user: import('./unprivileged.mjs').Unprivileged }} Server */

/** @param {Server} server @param {string} program @param {string[]} args @param {string} [input] */
function runAs({ cluster, user }, program, args, input) {
  const [command = program, ...rest] = [...user.prefix, program, ...args];
  return run(command, rest, { cwd: cluster.folder, input, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } });
}

/** Made aside and renamed when complete: what an interrupted start leaves is not mistaken for a cluster. @param {Server} server */
async function makeCluster(server) {
  const { cluster, binaries, user } = server;
  clearDrafts(cluster.folder);
  // A name of its own: an initdb whose starter was killed may still be writing to another.
  const draft = draftIn(cluster.folder, 'data');
  const passwordFile = join(cluster.folder, `password.draft-${process.pid}`);
  writeFileSync(passwordFile, cluster.password, { mode: 0o600 });
  handOver(passwordFile, user);
  const made = await runAs(server, binaries.initdb, [
    ...['-D', draft, '-U', cluster.user, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--no-locale', '-E', 'UTF8'],
    ...(cluster.durable ? [] : ['--no-sync']),
  ]);
  rmSync(passwordFile, { force: true });
  if (made.code !== 0) throw new Failure('PostgreSQL could not make its cluster:', lastLines(made.output));
  // Single-user mode needs no client program, and the npm package has none.
  const created = await runAs(server, binaries.postgres, ['--single', '-D', draft, 'postgres'], `CREATE DATABASE ${cluster.database}\n`);
  if (created.code !== 0 || /ERROR|FATAL/.test(created.output)) {
    throw new Failure('PostgreSQL could not make its database:', lastLines(created.output));
  }
  renameSync(draft, dataOf(cluster.folder));
}

/** @param {Server} server */
async function launch(server) {
  const { cluster, binaries } = server;
  const log = join(cluster.folder, 'server.log');
  const tls = cluster.certificates ? tlsSettings(server, cluster.certificates) : [];
  const settings = [
    'listen_addresses=127.0.0.1',
    // No socket file: its path may be too long, and /tmp is everybody's.
    "unix_socket_directories=''",
    'max_connections=200',
    ...(cluster.durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
    ...tls,
  ];
  const options = [`-p ${cluster.port}`, ...settings.map((setting) => `-c ${setting}`)].join(' ');
  let result = { code: 1, output: '' };
  const started = await until(
    async () => {
      rmSync(log, { force: true }); // one start's log at a time: it cannot grow without bound
      result = await runAs(server, binaries.pgCtl, ['-D', dataOf(cluster.folder), '-w', '-t', '60', '-l', log, '-o', options, 'start']);
      // The workers of a server that was killed hold its shared memory for a moment after it.
      return result.code === 0 || !tail(log).includes('pre-existing shared memory block');
    },
    { limitMs: 20_000, everyMs: 500 },
  );
  if (!started || result.code !== 0) throw new Failure('PostgreSQL did not start:', tail(log) || lastLines(result.output));
}

/** The server wants a key of its own, closed to all others. @param {Server} server @param {string} certificates */
function tlsSettings({ cluster, user }, certificates) {
  const files = ['server.crt', 'server.key'].map((name) => {
    const file = join(cluster.folder, name);
    copyFileSync(join(certificates, name), file);
    chmodSync(file, 0o600);
    handOver(file, user);
    return file;
  });
  return ['ssl=on', `ssl_cert_file=${files[0]}`, `ssl_key_file=${files[1]}`];
}

/** @param {string} log */
function tail(log) {
  return existsSync(log) ? lastLines(readFileSync(log, 'utf8')) : '';
}

/** Stop what runs on a folder: connections are cut, transactions roll back, everything committed is on disk. @param {string} folder */
export async function stopPostgres(folder) {
  // SIGINT is PostgreSQL's fast shutdown.
  await Promise.all(postgresProcesses(folder).map((server) => terminate(server, { signal: 'SIGINT' })));
}
