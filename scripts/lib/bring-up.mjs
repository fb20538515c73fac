// @ts-check
import { build } from './build.mjs';
import { startBroker, startDatabase } from './infrastructure.mjs';
import { install } from './install.mjs';
import { abortCommands } from './processes.mjs';
import { mustBeWithoutSpace } from './rabbitmq.mjs';

/**
 * Packages, build, PostgreSQL and RabbitMQ, side by side as far as one does not need the other; and what is to be done with a server once it
 * is up and the build is there. When one fails the others are ended and waited for: nothing goes on behind the back of whoever cleans up.
 * @param {import('./state.mjs').State} state
 * @param {import('./progress.mjs').Progress} progress
 * @param {{ packages: import('./install.mjs').Extent, durable: boolean, given: { database?: string, broker?: string, management?: string },
 *   prepare?: { database: () => Promise<unknown>, broker: () => Promise<unknown> } }} options
 */
export async function bringUp(state, progress, { packages, durable, given, prepare }) {
  // Told before the minute in which everything is installed.
  if (!given.broker) mustBeWithoutSpace(state.dir);
  const broker = progress.phase(given.broker ? 'message broker from AMQP_URL' : 'RabbitMQ', () =>
    startBroker(state, { given: given.broker, givenManagement: given.management }),
  );
  const installed = progress.phase('packages', () => install(packages));
  const database = installed.then(() =>
    progress.phase(given.database ? 'database from DATABASE_URL' : 'PostgreSQL', () =>
      startDatabase(state, { durable, given: given.database }),
    ),
  );
  const built = installed.then(() => progress.phase('build', build));
  await allOrNone([
    broker,
    database,
    built,
    Promise.all([database, built]).then(() => prepare?.database()),
    Promise.all([broker, built]).then(() => prepare?.broker()),
  ]);
}

/** @param {Promise<unknown>[]} works */
async function allOrNone(works) {
  // The one that fails first is told: the others fail because they are ended, then.
  const first = Promise.all(works);
  first.catch(abortCommands);
  await Promise.allSettled(works);
  await first;
}
