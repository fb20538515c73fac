// @ts-check
// PostgreSQL and RabbitMQ alone, without the services: node scripts/infra.mjs up|down|kill [database|broker] [--state DIR] [--certificates DIR]
import { describe } from './lib/failure.mjs';
import { runningServers, startBroker, startDatabase, stopBroker, stopDatabase } from './lib/infrastructure.mjs';
import { terminate } from './lib/processes.mjs';
import { ROOT, State } from './lib/state.mjs';
import { join } from 'node:path';
import { commandLine } from './lib/command-line.mjs';

const USAGE = 'usage: node scripts/infra.mjs up|down|kill [database|broker] [--state DIR] [--certificates DIR]';
const { positionals, values } = commandLine(
  { usage: USAGE, positionals: true, options: { state: { type: 'string' }, certificates: { type: 'string' } } },
  (given) => given,
);
const [verb, which] = positionals;
const { certificates } = values;

/** What is done to each server; to one alone where one is named. */
const VERBS = {
  up: {
    database: (/** @type {State} */ state) => startDatabase(state, { durable: true, certificates }),
    broker: (/** @type {State} */ state) => startBroker(state, { certificates }),
  },
  down: { database: stopDatabase, broker: (/** @type {State} */ state) => stopBroker(state) },
  kill: {
    database: (/** @type {State} */ state) => kill(runningServers(state).PostgreSQL),
    broker: (/** @type {State} */ state) => kill(runningServers(state).RabbitMQ),
  },
};

try {
  const deeds = VERBS[/** @type {keyof typeof VERBS} */ (verb)];
  if (!deeds || (which !== undefined && which !== 'database' && which !== 'broker')) {
    console.error(USAGE);
    process.exit(2);
  }
  const state = new State(values.state ?? join(ROOT, '.reprise', 'infra'));
  await Promise.all((which ? [deeds[which]] : [deeds.database, deeds.broker]).map((deed) => deed(state)));
  if (verb === 'up' && !which) {
    for (const name of ['DATABASE_URL', 'AMQP_URL', 'RABBITMQ_MANAGEMENT_URL']) console.log(`${name}=${state.get(name)}`);
  }
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}

/** As a crash does: nothing is finished. @param {import('./lib/processes.mjs').Identity | undefined} server */
async function kill(server) {
  if (server) await terminate(server, { signal: 'SIGKILL' });
}
