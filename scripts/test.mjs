// @ts-check
// npm test [-- jest arguments]: all tests, with a PostgreSQL and a RabbitMQ of their own. KEEP_INFRA=1 leaves these up for the next run.
import { bringUp } from './lib/bring-up.mjs';
import { helpOn } from './lib/command-line.mjs';
import { onStopSignal, tolerateClosedOutput } from './lib/console.mjs';
import { countLine, isGreen, readReport } from './lib/count.mjs';
import { Failure, describe } from './lib/failure.mjs';
import { stopBroker, stopDatabase } from './lib/infrastructure.mjs';
import { JestRun } from './lib/jest.mjs';
import { takeLock } from './lib/lock.mjs';
import { abortCommands } from './lib/processes.mjs';
import { Progress } from './lib/progress.mjs';
import { State, testFolder, testReport } from './lib/state.mjs';

const USAGE = `usage: npm test -- [what Jest takes]

Runs all tests, with a PostgreSQL and a RabbitMQ of their own, and ends with the count. Paths and -t TITLE choose among them.

  KEEP_INFRA=1                  leaves the servers up for the next run; npm stop ends them
  TEST_DATABASE_URL, TEST_AMQP_URL, TEST_RABBITMQ_MANAGEMENT_URL
                                servers that are used instead; the tests write, and make and delete databases and virtual hosts`;

helpOn(USAGE);
tolerateClosedOutput();
const jest = new JestRun(testReport());
let interrupted = false;

try {
  const state = new State(testFolder());
  const lock = takeLock(state.path('lock'), 'npm test');
  if (!lock.release) throw new Failure(`tests are running already in this checkout (pid ${lock.holder.pid})`);
  onStopSignal(interrupt, interrupt);
  try {
    await runTests(state);
  } finally {
    if (!process.env.KEEP_INFRA) await Promise.all([stopBroker(state, { durable: false }), stopDatabase(state)]);
    lock.release();
  }
} catch (error) {
  console.error(describe(error));
}

const count = readReport(jest.report);
console.log(`\n${countLine(count)}`);
process.exit(isGreen(count) && !interrupted ? 0 : 1);

/** @param {State} state */
async function runTests(state) {
  // Not DATABASE_URL and AMQP_URL: tests write, and those may be of a server that matters.
  const { TEST_DATABASE_URL, TEST_AMQP_URL, TEST_RABBITMQ_MANAGEMENT_URL } = process.env;
  const given = { database: TEST_DATABASE_URL, broker: TEST_AMQP_URL, management: TEST_RABBITMQ_MANAGEMENT_URL };
  // What a crash of this machine would take from it are tests: without waiting for the disk they are much faster.
  await bringUp(state, new Progress(), { packages: 'all', durable: false, given });
  if (interrupted) return;
  const env = {
    ...process.env,
    TEST_DATABASE_URL: state.get('DATABASE_URL'),
    TEST_AMQP_URL: state.get('AMQP_URL'),
    TEST_RABBITMQ_MANAGEMENT_URL: state.get('RABBITMQ_MANAGEMENT_URL'),
  };
  await jest.run(process.argv.slice(2), env);
}

/** The tests end first, the servers after them. */
function interrupt() {
  interrupted = true;
  abortCommands();
  jest.end();
}
