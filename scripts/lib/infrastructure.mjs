// @ts-check
import { composeDown, composeUp, hasDocker } from './docker.mjs';
import { Failure, describe } from './failure.mjs';
import { isFree, keepPorts } from './ports.mjs';
import { postgresBinaries } from './postgres-binaries.mjs';
import { postgresProcesses, startPostgres, stopPostgres } from './postgres.mjs';
import { installedRabbitmq, unpackedRabbitmq, unpackedRabbitmq4 } from './rabbitmq-binaries.mjs';
import { rabbitmqProcesses, startRabbitmq, stopRabbitmq } from './rabbitmq.mjs';
import { password } from './secrets.mjs';
import { RABBITMQ_4, TOOLS, rabbitmqRelease } from './state.mjs';

/** @typedef {import('./state.mjs').State} State */

const ADMIN = 'reprise_admin';
const DATABASE = 'reprise';

/**
 * Bring up PostgreSQL and say in the state how to reach it: `DATABASE_URL`, and `DATABASE_FROM` for whoever stops it.
 * @param {State} state
 * @param {{ durable: boolean, given?: string, certificates?: string }} options given: the address of one to use instead; certificates: a folder
 *   with those of a server of ours, which then takes TLS besides
 */
export async function startDatabase(state, { durable, given, certificates }) {
  if (given) {
    state.values.DATABASE_FROM = 'environment';
    state.values.DATABASE_URL = given;
    return state.save();
  }
  const secret = state.once('POSTGRES_PASSWORD', password);
  const folder = state.path('postgres');
  const binaries = postgresBinaries();
  if (!binaries && !(await hasDocker())) {
    throw new Failure(
      `There is no PostgreSQL to run: npm has none for ${process.platform}-${process.arch} and no Docker engine answers. Set DATABASE_URL to one of yours.`,
    );
  }
  state.values.DATABASE_FROM = binaries ? 'npm' : 'docker';
  await keepPorts(state, ['POSTGRES_PORT'], { ours: postgresProcesses(folder).length > 0 || !binaries });
  const port = state.get('POSTGRES_PORT');
  state.values.DATABASE_URL = `postgres://${ADMIN}:${secret}@127.0.0.1:${port}/${DATABASE}`;
  state.save();
  if (!binaries) return composeUp(state, 'postgres');
  const cluster = { folder, port: Number(port), user: ADMIN, password: secret, database: DATABASE, durable, certificates };
  await startPostgres(cluster, binaries);
}

/** @param {State} state */
export async function stopDatabase(state) {
  if (state.values.DATABASE_FROM === 'docker') return composeDown(state, 'postgres');
  await stopPostgres(state.path('postgres'));
}

/**
 * Bring up RabbitMQ and say in the state how to reach it: `AMQP_URL` (the virtual host `/`; an instance's own is made by the setup),
 * `RABBITMQ_MANAGEMENT_URL`, and `AMQP_FROM` for whoever stops it.
 * @param {State} state
 * @param {{ given?: string, givenManagement?: string, certificates?: string }} [options] the addresses of one to use instead; certificates: a folder
 *   with those of a node of ours, which then takes TLS besides, on `RABBITMQ_TLS_PORT`
 */
export async function startBroker(state, { given, givenManagement, certificates } = {}) {
  if (given) {
    state.values.AMQP_FROM = 'environment';
    state.values.AMQP_URL = given;
    state.values.RABBITMQ_MANAGEMENT_URL = givenManagement ?? '';
    return state.save();
  }
  const node = brokerNode(state);
  state.values.RABBITMQ_RELEASE = rabbitmqRelease() ?? '';
  const { binaries, why } = await findRabbitmq(state);
  if (!binaries && !(await hasDocker())) {
    throw new Failure(
      'There is no RabbitMQ to run. Install rabbitmq-server (3.10 or later) with its Erlang, or start a Docker engine, or set AMQP_URL to one of yours.',
      why,
    );
  }
  state.values.AMQP_FROM = binaries ? 'node' : 'docker';
  const ports = ['RABBITMQ_PORT', 'RABBITMQ_MANAGEMENT_PORT', 'RABBITMQ_DISTRIBUTION_PORT', 'RABBITMQ_CTL_PORT', 'RABBITMQ_EPMD_PORT'];
  if (certificates) ports.push('RABBITMQ_TLS_PORT');
  const ours = rabbitmqProcesses(node.id).length > 0 || !binaries;
  // A node that was killed leaves its epmd, and an epmd is as good to a new node as to the old one.
  if (binaries && !ours && node.ports.epmd) await stopRabbitmq(node, binaries);
  await keepPorts(state, ports, { ours });
  const started = { ...brokerNode(state), tls: certificates ? { port: Number(state.get('RABBITMQ_TLS_PORT')), certificates } : undefined };
  const login = `${ADMIN}:${started.password}`;
  state.values.AMQP_URL = `amqp://${login}@127.0.0.1:${started.ports.amqp}`;
  state.values.RABBITMQ_MANAGEMENT_URL = `http://${login}@127.0.0.1:${started.ports.management}`;
  state.save();
  if (binaries) await startRabbitmq(started, binaries);
  else await composeUp(state, 'rabbitmq');
}

/**
 * @param {State} state
 * @param {{ durable?: boolean }} [options] where nothing has to be found again, the 5 s that RabbitMQ's shutdown waits for its statistics are spared
 */
export async function stopBroker(state, { durable = true } = {}) {
  if (state.values.AMQP_FROM === 'docker') return composeDown(state, 'rabbitmq');
  if (state.values.AMQP_FROM !== 'node') return;
  const { id, ports } = brokerNode(state);
  if (rabbitmqProcesses(id).length === 0 && (await isFree(ports.epmd))) return;
  const { binaries } = await findRabbitmq(state);
  if (binaries) await stopRabbitmq(brokerNode(state), binaries, durable ? 'SIGTERM' : 'SIGKILL');
}

/** The servers that were started from here and run, by name. @param {State} state */
export function runningServers(state) {
  return {
    PostgreSQL: postgresProcesses(state.path('postgres'))[0],
    RabbitMQ: rabbitmqProcesses(brokerNode(state).id)[0],
  };
}

/** @param {State} state @returns {import('./rabbitmq.mjs').Node} */
function brokerNode(state) {
  /** @param {string} name */
  const port = (name) => Number(state.values[`RABBITMQ_${name}`] ?? 0);
  return {
    folder: state.path('rabbitmq'),
    id: state.once('RABBITMQ_NODE_ID', () => password().slice(0, 16)),
    user: ADMIN,
    password: state.once('RABBITMQ_PASSWORD', password),
    ports: {
      amqp: port('PORT'),
      management: port('MANAGEMENT_PORT'),
      distribution: port('DISTRIBUTION_PORT'),
      ctl: port('CTL_PORT'),
      epmd: port('EPMD_PORT'),
    },
  };
}

/**
 * The release that tests asked for, or the machine's own, else the distribution's packages unpacked. `why` tells what stood in the way of the latter.
 * @param {State} state
 */
async function findRabbitmq(state) {
  if (state.values.RABBITMQ_RELEASE === RABBITMQ_4) return { binaries: await unpackedRabbitmq4(TOOLS), why: '' };
  const installed = installedRabbitmq();
  if (installed) return { binaries: installed, why: '' };
  try {
    return { binaries: await unpackedRabbitmq(TOOLS), why: '' };
  } catch (error) {
    return { binaries: null, why: describe(error) };
  }
}
