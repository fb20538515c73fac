// @ts-check
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { keepPorts, obstacleTo, portOf } from './ports.mjs';
import { lastLines, run } from './processes.mjs';
import { password, signingKeys } from './secrets.mjs';
import {
  BROKER_USERS,
  SERVICES,
  WITH_DATABASE,
  brokerUrl,
  metricsPortVariable,
  migrationEnv,
  portVariable,
  serviceEnv,
} from './service-env.mjs';
import { ROOT } from './state.mjs';

/** @typedef {import('./state.mjs').State} State */

const CLI = join(ROOT, 'cli', 'dist', 'main.js');

/**
 * Everything of an instance that is decided once and kept: passwords, keys, the addresses of the services.
 * @param {State} state
 */
export async function decide(state) {
  const { values } = state;
  for (const name of WITH_DATABASE) state.once(`${name.toUpperCase()}_DB_PASSWORD`, password);
  for (const name of BROKER_USERS) state.once(`${name.toUpperCase()}_AMQP_PASSWORD`, password);
  state.once('POD_TOKEN_SECRET', password);
  state.once('SECRETS_KEY', password);
  // Tells this instance's processes from those of another one of the same checkout.
  state.once('INSTANCE_ID', () => password().slice(0, 16));
  const keys = signingKeys(state.privateFolder('keys'));
  values.JWT_PRIVATE_KEY_FILE = keys.privateKey;
  values.JWT_PUBLIC_KEY_FILE = keys.publicKey;
  values.JWT_ISSUER = 'http://reprise.local';
  values.JWT_AUDIENCE = 'reprise';
  await decidePorts(state);
  values.GATEWAY_URL = `http://127.0.0.1:${values.GATEWAY_PORT}`;
  for (const name of WITH_DATABASE) values[`${name.toUpperCase()}_HEALTH_URL`] = `http://127.0.0.1:${values[portVariable(name)]}`;
  for (const folder of ['logs', 'pods', 'snapshots']) state.privateFolder(folder);
  state.save();
}

/** Takes the gateway's port as it is given or kept. @param {State} state @throws Failure where nobody can listen there */
async function decideGatewayPort({ values }) {
  const wanted = process.env.GATEWAY_PORT || values.GATEWAY_PORT;
  // People and running pods know the gateway by its address: do not move it silently.
  if (wanted) values.GATEWAY_PORT = String(await mustBeFree(portOf('GATEWAY_PORT', wanted)));
}

/** @param {State} state */
async function decidePorts(state) {
  await decideGatewayPort(state);
  await keepPorts(state, [...SERVICES.map(portVariable), ...SERVICES.map(metricsPortVariable)]);
}

/** @param {number} port */
async function mustBeFree(port) {
  const obstacle = await obstacleTo(port);
  if (obstacle === null) return port;
  /** @type {Record<string, string>} */
  const reasons = { EADDRINUSE: 'is used by another program', EACCES: 'may not be used by this user: ports below 1024 are for root' };
  throw new Failure(
    `port ${port}, the gateway's, ${reasons[obstacle] ?? `cannot be used (${obstacle})`}. Choose another one: GATEWAY_PORT=<port> npm start`,
  );
}

/**
 * Run a verb of the reprise command on this instance.
 * @param {State} state
 * @param {string[]} args
 */
export async function reprise(state, args) {
  const { PATH, HOME, DATABASE_CA_FILE, AMQP_CA_FILE, NODE_EXTRA_CA_CERTS } = process.env;
  const trust = { DATABASE_CA_FILE, AMQP_CA_FILE, NODE_EXTRA_CA_CERTS };
  const env = { PATH, HOME, ...trust, ...state.values, REPRISE_ENV_FILE: state.file };
  const result = await run(process.execPath, [CLI, ...args], { cwd: ROOT, env, abortable: true, limitMs: 120_000 });
  if (result.code !== 0) throw new Failure(`reprise ${args[0]} failed:`, lastLines(result.output, 12));
  return result.stdout.trim();
}

/**
 * Make roles and schemas, or users and queues, and keep what the services need to know of it.
 * @param {State} state @param {'database' | 'broker'} part
 */
export async function setUp(state, part) {
  const answer = await reprise(state, ['setup', part]);
  let made;
  try {
    made = JSON.parse(answer);
  } catch {
    throw new Failure('reprise setup did not answer in JSON:', lastLines(answer));
  }
  if (part === 'database') state.values.DATABASE_ROLES = made.database;
  else {
    Object.assign(state.values, { AMQP_USERS: made.amqp, AMQP_VHOST: made.vhost });
    // Ready to use by another service of the house, which has nothing of ours to put an address together.
    state.values.PUBLISHER_AMQP_URL = brokerUrl('publisher', (key) => state.get(key), state.values);
  }
  state.save();
}

/**
 * Make the tenant to try, once for each cluster of ours; a database that was given may be another one each time.
 * @param {State} state
 */
export async function seed(state) {
  const mark = state.path('postgres', 'seeded');
  const ours = state.values.DATABASE_FROM === 'npm';
  if (ours && existsSync(mark)) return 'skip: already there';
  await reprise(state, ['seed']);
  if (ours) writeFileSync(mark, '');
  return 'done';
}

/** Bring each service's schema up to date, with that service's own role. @param {State} state */
export async function migrate(state) {
  await Promise.all(
    WITH_DATABASE.map(async (name) => {
      const env = migrationEnv(name, { values: state.values, stateDir: state.dir });
      const script = join(ROOT, 'services', name, 'dist', 'migrate.js');
      const result = await run(process.execPath, [script], { cwd: ROOT, env, abortable: true });
      if (result.code !== 0) throw new Failure(`the database of ${name} could not be migrated:`, lastLines(result.output, 12));
    }),
  );
}

/** @param {State} state @param {import('./service-env.mjs').ServiceName} name @param {'pretty' | 'json'} logFormat */
export function envOf(state, name, logFormat) {
  return serviceEnv(name, { values: state.values, stateDir: state.dir, root: ROOT, logFormat });
}
