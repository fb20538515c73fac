// @ts-check
// npm run test:faults [-- --minutes N --seed S --operations N --workspaces N]: users at their workspaces while everything is killed and cut.
import { join } from 'node:path';
import { bringUp } from './lib/bring-up.mjs';
import { commandLine } from './lib/command-line.mjs';
import { onStopSignal, tolerateClosedOutput } from './lib/console.mjs';
import { countLine, isGreen, readReport } from './lib/count.mjs';
import { Failure, describe } from './lib/failure.mjs';
import { stopBroker, stopDatabase } from './lib/infrastructure.mjs';
import { JestRun } from './lib/jest.mjs';
import { takeLock } from './lib/lock.mjs';
import { removePods } from './lib/pods.mjs';
import { abortCommands } from './lib/processes.mjs';
import { Progress } from './lib/progress.mjs';
import { State, faultsFolder } from './lib/state.mjs';

const USAGE = 'usage: npm run test:faults -- [--minutes N] [--seed TEXT] [--operations N] [--workspaces N] [--state DIR]';

tolerateClosedOutput();
const options = read();
const folder = options.state ?? faultsFolder();
const jest = new JestRun(join(folder, 'report.json'));
let interrupted = false;

try {
  const state = new State(folder);
  const lock = takeLock(state.path('lock'), 'npm run test:faults');
  if (!lock.release) throw new Failure(`the faults run already in this folder (pid ${lock.holder.pid})`);
  onStopSignal(interrupt, interrupt);
  try {
    // Durable, as in production: what is confirmed must be there after a kill.
    await bringUp(state, new Progress(), { packages: 'all', durable: true, given: {} });
    if (state.get('DATABASE_FROM') === 'docker' || state.get('AMQP_FROM') === 'docker') {
      throw new Failure('the faults kill PostgreSQL and RabbitMQ as processes of this machine, and here they are containers');
    }
    if (!interrupted) await jest.run(['--selectProjects', 'faults'], environment(state));
  } finally {
    // Its agents outlive whoever started them, as they must.
    await removePods(new State(join(folder, 'fleet')));
    await Promise.all([stopBroker(state, { durable: false }), stopDatabase(state)]);
    lock.release();
  }
} catch (error) {
  console.error(describe(error));
}

const count = readReport(jest.report);
console.log(`\n${countLine(count)}`);
process.exit(isGreen(count) && !interrupted ? 0 : 1);

/** @param {State} state @returns {NodeJS.ProcessEnv} */
function environment(state) {
  return {
    ...process.env,
    TEST_DATABASE_URL: state.get('DATABASE_URL'),
    TEST_AMQP_URL: state.get('AMQP_URL'),
    TEST_RABBITMQ_MANAGEMENT_URL: state.get('RABBITMQ_MANAGEMENT_URL'),
    FAULTS_STATE: state.dir,
    FAULTS_SEED: options.seed,
    FAULTS_MINUTES: options.minutes,
    FAULTS_OPERATIONS: options.operations,
    FAULTS_WORKSPACES: options.workspaces,
  };
}

/** The settings of the run. A wrong one is told, and nothing is started. */
function read() {
  return commandLine(
    {
      usage: USAGE,
      options: {
        minutes: { type: 'string', default: '30' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        operations: { type: 'string', default: '300' },
        workspaces: { type: 'string', default: '40' },
        state: { type: 'string' },
      },
    },
    ({ values }) => {
      for (const name of /** @type {const} */ (['minutes', 'operations', 'workspaces'])) {
        if (!(Number(values[name]) > 0)) throw new Failure(`--${name} must be a number above 0, and is ${values[name]}`);
      }
      return values;
    },
  );
}

function interrupt() {
  interrupted = true;
  abortCommands();
  jest.end();
}
