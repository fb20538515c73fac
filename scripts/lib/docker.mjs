// @ts-check
import { createHash } from 'node:crypto';
import { Failure } from './failure.mjs';
import { keepPorts } from './ports.mjs';
import { lastLines, run } from './processes.mjs';
import { ROOT } from './state.mjs';
import { withoutAddresses } from './rabbitmq-binaries.mjs';

/** @typedef {import('./state.mjs').State} State */

/** Whether an engine answers and has Compose; the client alone is on many machines. */
export async function hasDocker() {
  const [engine, compose] = await Promise.all([
    run('docker', ['version', '--format', '{{.Server.Version}}'], { limitMs: 10_000 }),
    run('docker', ['compose', 'version'], { limitMs: 10_000 }),
  ]);
  return engine.code === 0 && compose.code === 0;
}

/** @param {State} state @param {string[]} args */
function compose(state, args) {
  // Named by the folder: checkouts side by side have containers and volumes of their own.
  const project = `reprise-${createHash('sha256').update(state.dir).digest('hex').slice(0, 10)}`;
  return run('docker', ['compose', '--project-name', project, ...args], { cwd: ROOT, env: { ...process.env, ...state.values } });
}

/** Start one of the servers of docker-compose.yml and wait until it is healthy. @param {State} state @param {'postgres' | 'rabbitmq'} service */
export async function composeUp(state, service) {
  // The file is interpolated whole, whichever service is asked for.
  await keepPorts(state, ['POSTGRES_PORT', 'RABBITMQ_PORT', 'RABBITMQ_MANAGEMENT_PORT'], { ours: true });
  const result = await compose(state, ['up', '--detach', '--wait', '--wait-timeout', '180', service]);
  if (result.code !== 0) throw new Failure(`docker compose could not start ${service}:`, lastLines(withoutAddresses(result.output)));
}

/** Stop a server; its volume stays. @param {State} state @param {'postgres' | 'rabbitmq'} service */
export async function composeDown(state, service) {
  await compose(state, ['stop', service]);
}
