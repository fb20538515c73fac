// @ts-check
// npm test [-- jest arguments]: all tests, with a PostgreSQL and a RabbitMQ of their own. KEEP_INFRA=1 leaves these up for the next run.
import { rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bringUp } from './lib/bring-up.mjs';
import { onStopSignal, tolerateClosedOutput } from './lib/console.mjs';
import { countLine, isGreen, readReport } from './lib/count.mjs';
import { Failure, describe } from './lib/failure.mjs';
import { stopBroker, stopDatabase } from './lib/infrastructure.mjs';
import { takeLock } from './lib/lock.mjs';
import { abortCommands } from './lib/processes.mjs';
import { Progress } from './lib/progress.mjs';
import { ROOT, State, testFolder } from './lib/state.mjs';

tolerateClosedOutput();
const report = join(testFolder(), 'report.json');
let interrupted = false;
/** @type {import('node:child_process').ChildProcess | null} */
let jest = null;

try {
  const state = new State(testFolder());
  const lock = takeLock(state.path('lock'), 'npm test');
  if (!lock.release) throw new Failure(`tests are running already in this checkout (pid ${lock.holder.pid})`);
  onStopSignal(interrupt, interrupt);
  rmSync(report, { force: true }); // an old one must not be taken for this run's
  try {
    await runTests(state);
  } finally {
    if (!process.env.KEEP_INFRA) await Promise.all([stopBroker(state, { durable: false }), stopDatabase(state)]);
    lock.release();
  }
} catch (error) {
  console.error(describe(error));
}

const count = readReport(report);
console.log(`\n${countLine(count)}`);
process.exit(isGreen(count) && !interrupted ? 0 : 1);

/** @param {State} state */
async function runTests(state) {
  // Not DATABASE_URL and AMQP_URL: tests write, and those may be of a server that matters.
  const { TEST_DATABASE_URL, TEST_AMQP_URL, TEST_RABBITMQ_MANAGEMENT_URL } = process.env;
  const given = { database: TEST_DATABASE_URL, broker: TEST_AMQP_URL, management: TEST_RABBITMQ_MANAGEMENT_URL };
  // What a crash of this machine would take from it are tests: without waiting for the disk they are much faster.
  await bringUp(state, new Progress(), { durable: false, given });
  if (interrupted) return;
  const env = {
    ...process.env,
    TEST_DATABASE_URL: state.get('DATABASE_URL'),
    TEST_AMQP_URL: state.get('AMQP_URL'),
    TEST_RABBITMQ_MANAGEMENT_URL: state.get('RABBITMQ_MANAGEMENT_URL'),
  };
  const args = [join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), '--json', '--outputFile', report, ...process.argv.slice(2)];
  // Its JSON goes to the file, what it tells people to standard error.
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  jest = child;
  const code = await new Promise((resolve) => child.on('exit', (exit, signal) => resolve(signal ?? exit)));
  jest = null;
  // Its report may look green although it was killed, or something else than a test failed.
  if (code !== 0 && isGreen(readReport(report))) {
    rmSync(report);
    throw new Failure(`jest ended with ${code} although no test failed`);
  }
}

/** The tests end first, the servers after them. */
function interrupt() {
  interrupted = true;
  abortCommands();
  // The whole group: jest has workers, and these may have started services.
  if (jest?.pid) process.kill(-jest.pid, 'SIGTERM');
}
