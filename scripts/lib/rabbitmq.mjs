// @ts-check
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { findProcesses, lastLines, run, terminate } from './processes.mjs';
import { until } from './wait.mjs';

/**
 * A private RabbitMQ node with the management plugin: every listener on loopback, an epmd of its own, no user guest.
 * @typedef {object} Node
 * @property {string} folder holds the data, the log and the configuration
 * @property {string} id told by the arguments of the node's process: how it is found again
 * @property {{ amqp: number, management: number, distribution: number, ctl: number, epmd: number }} ports
 * @property {string} user the administrator
 * @property {string} password
 * @property {{ port: number, certificates: string }} [tls] a listener besides, and the folder with ca.crt, server.crt and server.key for it
 */

/**
 * The virtual machines that run as a node, told by their arguments, since a pid file may be stale.
 * @param {string} id
 * @param {string} [folder] only those that were started on it
 */
export function rabbitmqProcesses(id, folder) {
  return findProcesses((args) => {
    const at = args.indexOf('-reprise_node');
    return at >= 0 && args[at + 1] === id && (!folder || args[at + 2] === folder);
  });
}

/** Its scripts take a path with a space for two. @param {string} folder @throws Failure */
export function mustBeWithoutSpace(folder) {
  if (!/\s/.test(folder)) return;
  throw new Failure(
    `RabbitMQ cannot run in a folder with a space in its path ("${folder}"): move the checkout, or set AMQP_URL (for tests TEST_AMQP_URL)`,
  );
}

/**
 * Start the node and wait until it takes connections. Leaves one that runs already alone.
 * @param {Node} node
 * @param {import('./rabbitmq-binaries.mjs').RabbitmqBinaries} binaries
 */
export async function startRabbitmq(node, binaries) {
  mustBeWithoutSpace(node.folder);
  mustBeWithoutSpace(binaries.sbin);
  // One from before the checkout was moved: its files are no longer where it has them.
  if (rabbitmqProcesses(node.id).length > 0 && rabbitmqProcesses(node.id, node.folder).length === 0) await stopRabbitmq(node, binaries);
  let ended = () => false;
  if (rabbitmqProcesses(node.id).length === 0) {
    prepare(node, binaries);
    ended = launch(node, environment(node, binaries));
  }
  const ready = await until(async () => ended() || (await isListening(node)), { limitMs: 120_000, everyMs: 100 });
  if (!ready || ended()) {
    await stopRabbitmq(node, binaries);
    throw new Failure(ended() ? 'RabbitMQ did not start:' : 'RabbitMQ was not ready within 120 s:', lastLines(readLog(node), 12));
  }
  writeFileSync(completeMark(node), '');
}

/** @param {Node} node */
const completeMark = (node) => join(node.folder, 'complete');

/** @param {Node} node @param {import('./rabbitmq-binaries.mjs').RabbitmqBinaries} binaries */
function prepare(node, { settings = [] }) {
  mkdirSync(node.folder, { recursive: true, mode: 0o700 });
  // A first start that was killed half-way may have made the database without its administrator; there is nothing in it to lose.
  if (!existsSync(completeMark(node))) rmSync(join(node.folder, 'mnesia'), { recursive: true, force: true });
  for (const name of ['mnesia', 'log', 'home']) mkdirSync(join(node.folder, name), { recursive: true });
  const cookie = join(node.folder, 'home', '.erlang.cookie');
  rmSync(cookie, { force: true }); // it is read-only, as Erlang wants it
  writeFileSync(cookie, createHash('sha256').update(`cookie ${node.password}`).digest('hex').slice(0, 32), { mode: 0o400 });
  writeFileSync(join(node.folder, 'enabled_plugins'), '[rabbitmq_management].\n');
  writeFileSync(join(node.folder, 'rabbitmq.conf'), configuration(node, settings), { mode: 0o600 });
}

/** @param {Node} node @param {string[]} more */
function configuration({ user, password, ports, tls }, more) {
  return [
    `default_user = ${user}`,
    `default_pass = ${password}`,
    `loopback_users.${user} = true`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${ports.management}`,
    // Queue depths in the management API are as old as this, at most.
    'collect_statistics_interval = 2000',
    'disk_free_limit.absolute = 200MB',
    'log.file.rotation.size = 10485760',
    'log.file.rotation.count = 2',
    ...(tls ? tlsListener(tls) : []),
    ...more,
    '',
  ].join('\n');
}

/** @param {{ port: number, certificates: string }} tls */
function tlsListener({ port, certificates }) {
  const files = { cacertfile: 'ca.crt', certfile: 'server.crt', keyfile: 'server.key' };
  const options = Object.entries(files).map(([option, name]) => `ssl_options.${option} = ${join(certificates, name)}`);
  return [`listeners.ssl.1 = 127.0.0.1:${port}`, ...options];
}

/** All of these matter: one left out falls back to a path or a port of the system's. @param {Node} node @param {import('./rabbitmq-binaries.mjs').RabbitmqBinaries} binaries */
function environment({ folder, id, ports }, binaries) {
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}';
  return {
    ...binaries.env,
    PATH: binaries.path,
    HOME: join(folder, 'home'),
    LC_ALL: 'C.UTF-8',
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(ports.epmd),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_NODENAME: 'reprise@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_CTL_DIST_PORT_MIN: String(ports.ctl),
    RABBITMQ_CTL_DIST_PORT_MAX: String(ports.ctl),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'none.config'),
    RABBITMQ_SCHEMA_DIR: join(folder, 'schema'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, 'generated'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${loopback} -reprise_node ${id} ${folder}`,
    RABBITMQ_CTL_ERL_ARGS: loopback,
  };
}

/** @param {Node} node @param {NodeJS.ProcessEnv} env @returns {() => boolean} whether it has ended */
function launch(node, env) {
  const log = openSync(join(node.folder, 'log', 'startup.log'), 'w');
  // A session of its own: it has to outlive a Ctrl-C in our terminal, to be stopped last.
  const child = spawn('rabbitmq-server', [], { cwd: node.folder, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let ended = false;
  child.on('error', () => (ended = true));
  child.on('exit', () => (ended = true));
  child.unref();
  return () => ended;
}

/** @param {Node} node */
async function isListening({ ports, user, password }) {
  // The management API answers before the broker takes connections, so ask it about that very listener.
  const address = `http://127.0.0.1:${ports.management}/api/health/checks/port-listener/${ports.amqp}`;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  try {
    const answer = await fetch(address, { headers: { authorization }, signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    if (answer.status === 401)
      throw new Failure('RabbitMQ refuses the password kept in the state folder: remove that folder (its data goes too)');
    return answer.ok;
  } catch (error) {
    if (error instanceof Failure) throw error;
    return false;
  }
}

/** @param {Node} node */
function readLog(node) {
  const file = join(node.folder, 'log', 'startup.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/**
 * Stop the node, then its epmd, which outlives it and would hold its port.
 * @param {Node} node
 * @param {import('./rabbitmq-binaries.mjs').RabbitmqBinaries} binaries
 * @param {NodeJS.Signals} [signal]
 */
export async function stopRabbitmq(node, binaries, signal = 'SIGTERM') {
  await Promise.all(rabbitmqProcesses(node.id).map((vm) => terminate(vm, { signal })));
  const env = environment(node, binaries);
  // epmd refuses while it still knows a node, and answers with an error when it is not there: either way, ask until it is gone.
  await until(async () => /Cannot connect|Killed/.test((await run('epmd', ['-port', String(node.ports.epmd), '-kill'], { env })).output), {
    limitMs: 5_000,
    everyMs: 50,
  });
}
