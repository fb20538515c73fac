// @ts-check
// npm run test:rabbitmq4 [-- jest arguments]: the tests that a broker has a part in, on RabbitMQ 4 from the packages of Debian 13; then three minutes of the
// fault suite on it. With arguments only the tests that they name. Needs the package manager of Debian; elsewhere all is skipped.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { helpOn } from './lib/command-line.mjs';
import { onStopSignal, tolerateClosedOutput } from './lib/console.mjs';
import { countLine, isGreen, readReport } from './lib/count.mjs';
import { describe } from './lib/failure.mjs';
import { Progress } from './lib/progress.mjs';
import { hindranceToRabbitmq4, unpackedRabbitmq4 } from './lib/rabbitmq-binaries.mjs';
import { abortCommands } from './lib/processes.mjs';
import { RABBITMQ_4, ROOT, TOOLS, faultsReport, testReport } from './lib/state.mjs';

/** Messaging, dead letters, permissions, the command line, and everything end to end, with the corpus of bad messages. */
const TESTS = ['libs/messaging/test', 'services/deadletters/test', 'cli/test', 'test/[^/]+\\.e2e\\.spec'];
const FAULTS = ['--minutes', '3', '--operations', '120'];

const USAGE = `usage: npm run test:rabbitmq4 -- [what Jest takes]

Runs the tests that a broker has a part in on RabbitMQ 4, then three minutes of the fault suite, and ends with the count of both. With arguments
only the tests that they name. Without the package manager of Debian all is skipped.`;

helpOn(USAGE);
tolerateClosedOutput();
process.env.TEST_RABBITMQ_RELEASE = RABBITMQ_4;
/** @type {import('node:child_process').ChildProcess | null} */
let child = null;
let interrupted = false;

const why = hindranceToRabbitmq4();
if (why !== null) {
  console.log(`RabbitMQ 4 is left out: ${why}\n\n${countLine({ passed: 0, failed: 0, skipped: 1 })}`);
  process.exit(0);
}
onStopSignal(interrupt, interrupt);
try {
  await new Progress().phase('RabbitMQ 4', () => unpackedRabbitmq4(TOOLS));
} catch (error) {
  console.error(`${describe(error)}\n\n${countLine({ passed: 0, failed: 1, skipped: 0 })}`);
  process.exit(1);
}
const chosen = process.argv.slice(2);
const reports = [testReport()];
await run('test.mjs', chosen.length > 0 ? chosen : TESTS);
if (chosen.length === 0) {
  reports.push(faultsReport());
  await run('faults.mjs', FAULTS);
}

const counts = reports.map(readReport);
/** @param {keyof import('./lib/count.mjs').Count} kind */
const sum = (kind) => counts.reduce((total, count) => total + count[kind], 0);
console.log(`\n${countLine({ passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') })}`);
process.exit(counts.every(isGreen) && !interrupted ? 0 : 1);

/** @param {string} script @param {string[]} args */
async function run(script, args) {
  if (interrupted) return;
  console.log(`== ${script} ${args.join(' ')}`);
  // A group of its own: it is told once that it is to stop.
  const started = spawn(process.execPath, [join(ROOT, 'scripts', script), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  child = started;
  await new Promise((resolve) => started.on('exit', resolve));
  child = null;
}

function interrupt() {
  interrupted = true;
  abortCommands();
  child?.kill('SIGTERM');
}
