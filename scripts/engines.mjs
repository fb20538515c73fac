// @ts-check
// npm run test:engines [-- docker|kubernetes]: the tests that need a Docker engine or a Kubernetes API, with engines of their own; those that
// TEST_DOCKER_HOST and TEST_KUBECONFIG name are used instead. KEEP_ENGINES=1 leaves up what was brought up. With --prepare no test is run, but
// all that takes long on a machine that never had an engine is done. With --where-possible an engine that does not come up is told and left out.
// With --without WHY none is brought up, and all is counted as skipped.
import { join } from 'node:path';
import { bringUp } from './lib/bring-up.mjs';
import { commandLine } from './lib/command-line.mjs';
import { onStopSignal, tolerateClosedOutput } from './lib/console.mjs';
import { countLine, isGreen, readReport } from './lib/count.mjs';
import { ENGINES, engineDown, engineUp, hindrance } from './lib/engines.mjs';
import { Failure, describe } from './lib/failure.mjs';
import { stopBroker, stopDatabase } from './lib/infrastructure.mjs';
import { JestRun } from './lib/jest.mjs';
import { takeLock } from './lib/lock.mjs';
import { abortCommands } from './lib/processes.mjs';
import { Progress } from './lib/progress.mjs';
import { State, enginesFolder, enginesReport } from './lib/state.mjs';

tolerateClosedOutput();
const { wanted, prepare, wherePossible, without } = read();
const jest = new JestRun(enginesReport());
let interrupted = false;

try {
  const state = new State(enginesFolder());
  const lock = takeLock(state.path('lock'), 'npm run test:engines');
  if (!lock.release) throw new Failure(`these tests are running already in this checkout (pid ${lock.holder.pid})`);
  onStopSignal(interrupt, interrupt);
  /** @type {import('./lib/engines.mjs').Engine[]} */
  const up = [];
  try {
    if (prepare) await prepareEngines(up);
    else await runTests(state, up);
  } finally {
    if (!process.env.KEEP_ENGINES) {
      await Promise.all(up.map((engine) => engineDown(engine, folderOf(engine))));
      await Promise.all([stopBroker(state, { durable: false }), stopDatabase(state)]);
    }
    lock.release();
  }
} catch (error) {
  console.error(describe(error));
  if (prepare) process.exit(1);
}

if (prepare) process.exit(interrupted ? 1 : 0);
const count = readReport(jest.report);
console.log(`\n${countLine(count)}`);
// A machine without any engine has shown nothing, and broken nothing.
const nothingRan = count.passed === 0 && count.skipped > 0;
process.exit((isGreen(count) || (nothingRan && count.failed === 0)) && !interrupted ? 0 : 1);

/** One after the other: they use the same package manager. @param {import('./lib/engines.mjs').Engine[]} up */
async function prepareEngines(up) {
  const progress = new Progress();
  for (const engine of wanted) {
    if (!process.env[engine.variable] && !interrupted) await bringUpEngine(engine, progress, up);
  }
}

/** @param {State} state @param {import('./lib/engines.mjs').Engine[]} up those that were brought up, and are to be taken down */
async function runTests(state, up) {
  const progress = new Progress();
  const { TEST_DATABASE_URL, TEST_AMQP_URL, TEST_RABBITMQ_MANAGEMENT_URL } = process.env;
  const given = { database: TEST_DATABASE_URL, broker: TEST_AMQP_URL, management: TEST_RABBITMQ_MANAGEMENT_URL };
  await bringUp(state, progress, { packages: 'all', durable: false, given });
  /** @type {Record<string, string>} */
  const env = {};
  for (const engine of wanted) {
    if (interrupted) return;
    const address = process.env[engine.variable] ?? (await bringUpEngine(engine, progress, up));
    if (address === null) continue;
    env[engine.variable] = address;
    Object.assign(env, await progress.phase(`what the tests need on ${engine.name}`, () => engine.prepare(address)));
  }
  if (interrupted) return;
  await jest.run(['--selectProjects', 'engines', '--testPathPatterns', ...wanted.map(({ name }) => `${name}[^/]*\\.engine\\.`)], {
    ...process.env,
    ...env,
    TEST_DATABASE_URL: state.get('DATABASE_URL'),
    TEST_AMQP_URL: state.get('AMQP_URL'),
    TEST_RABBITMQ_MANAGEMENT_URL: state.get('RABBITMQ_MANAGEMENT_URL'),
    ENGINES_STATE: state.dir,
  });
}

/** @param {import('./lib/engines.mjs').Engine} engine @param {Progress} progress @param {import('./lib/engines.mjs').Engine[]} up */
async function bringUpEngine(engine, progress, up) {
  const folder = folderOf(engine);
  const why = without ?? hindrance(engine, folder);
  if (why !== null) {
    progress.say(`${engine.name} is left out: ${why}, and ${engine.variable} names none`);
    return null;
  }
  up.push(engine);
  try {
    await progress.phase(engine.name, () => engineUp(engine, folder));
  } catch (error) {
    if (!wherePossible) throw error;
    progress.say(`${engine.name} is left out: ${describe(error)}`);
    return null;
  }
  return engine.address(folder);
}

/** @param {import('./lib/engines.mjs').Engine} engine */
function folderOf({ name }) {
  return join(enginesFolder(), name);
}

/** What is asked for. A wrong word is told, and nothing is started. */
function read() {
  const names = ENGINES.map(({ name }) => name);
  const usage = `usage: npm run test:engines -- [${names.join('|')}] [--prepare] [--where-possible] [--without WHY]`;
  return commandLine(
    {
      usage,
      positionals: true,
      options: {
        prepare: { type: 'boolean', default: false },
        'where-possible': { type: 'boolean', default: false },
        without: { type: 'string' },
      },
    },
    ({ values, positionals }) => {
      const unknown = positionals.filter((name) => !names.includes(name));
      if (unknown.length > 0) throw new Failure(`there is no engine ${unknown.join(', ')}`);
      const wanted = ENGINES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
      return { wanted, prepare: values.prepare, wherePossible: values['where-possible'], without: values.without };
    },
  );
}

function interrupt() {
  interrupted = true;
  abortCommands();
  jest.end();
}
