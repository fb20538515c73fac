// @ts-check
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { keepPorts } from './ports.mjs';
import { lastLines, run } from './processes.mjs';
import { password } from './secrets.mjs';
import { ROOT } from './state.mjs';
import { withoutAddresses } from './debian-packages.mjs';

/** @typedef {import('./state.mjs').State} State */

/** PostgreSQL and RabbitMQ alone. */
const SERVERS = join(ROOT, 'deploy', 'compose', 'infrastructure.yml');

/** Whether an engine answers and has Compose; the client alone is on many machines. */
export async function hasDocker() {
  const [engine, compose] = await Promise.all([
    run('docker', ['version', '--format', '{{.Server.Version}}'], { limitMs: 10_000 }),
    run('docker', ['compose', 'version'], { limitMs: 10_000 }),
  ]);
  return engine.code === 0 && compose.code === 0;
}

/** @type {Promise<unknown>} */
let before = Promise.resolve();

/** One after the other: two at once both make the project's network, and then neither can use it. @param {State} state @param {string[]} args */
function compose(state, args) {
  // Kept in the state: checkouts side by side have containers and volumes of their own, and a new state does not meet old volumes.
  const project = state.once('COMPOSE_PROJECT', () => `reprise-${password().slice(0, 10)}`);
  state.save();
  const env = { ...process.env, ...state.values };
  const result = before.then(() => run('docker', ['compose', '--file', SERVERS, '--project-name', project, ...args], { cwd: ROOT, env }));
  before = result;
  return result;
}

/** Start one of the servers and wait until it is healthy. @param {State} state @param {'postgres' | 'rabbitmq'} service */
export async function composeUp(state, service) {
  // The file is interpolated whole, whichever service is asked for.
  for (const name of ['POSTGRES_PASSWORD', 'RABBITMQ_PASSWORD']) state.once(name, password);
  await keepPorts(state, ['POSTGRES_PORT', 'RABBITMQ_PORT', 'RABBITMQ_MANAGEMENT_PORT'], { ours: true });
  const result = await compose(state, ['up', '--detach', '--wait', '--wait-timeout', '180', service]);
  if (result.code !== 0) throw new Failure(`docker compose could not start ${service}:`, lastLines(withoutAddresses(result.output)));
}

/** Stop a server; its volume stays. @param {State} state @param {'postgres' | 'rabbitmq'} service */
export async function composeDown(state, service) {
  await compose(state, ['stop', service]);
}
