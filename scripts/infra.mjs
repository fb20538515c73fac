// @ts-check
// PostgreSQL and RabbitMQ alone, without the services: node scripts/infra.mjs up|down [--state DIR]
import { describe } from './lib/failure.mjs';
import { startBroker, startDatabase, stopBroker, stopDatabase } from './lib/infrastructure.mjs';
import { ROOT, State } from './lib/state.mjs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { state: { type: 'string' } } });
const [verb] = positionals;

try {
  const state = new State(values.state ?? join(ROOT, '.reprise', 'infra'));
  if (verb === 'up') {
    await Promise.all([startDatabase(state, { durable: true }), startBroker(state)]);
    for (const name of ['DATABASE_URL', 'AMQP_URL', 'RABBITMQ_MANAGEMENT_URL']) console.log(`${name}=${state.get(name)}`);
  } else if (verb === 'down') {
    await Promise.all([stopDatabase(state), stopBroker(state)]);
  } else {
    console.error('usage: node scripts/infra.mjs up|down [--state DIR]');
    process.exitCode = 2;
  }
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}
