// @ts-check
// npm run test:node -- 22|24 [jest arguments]: `npm test` with everything on that version of Node: the runner, its workers, the services and the agents.
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { helpOn } from './lib/command-line.mjs';
import { onStopSignal, tolerateClosedOutput } from './lib/console.mjs';
import { countLine } from './lib/count.mjs';
import { describe } from './lib/failure.mjs';
import { NODE_VERSIONS, nodeProgram } from './lib/node-versions.mjs';
import { abortCommands } from './lib/processes.mjs';
import { Progress } from './lib/progress.mjs';
import { ROOT } from './lib/state.mjs';

const USAGE = `usage: npm run test:node -- ${[...NODE_VERSIONS.keys()].join('|')} [what Jest takes]

Runs npm test with everything on that version of Node, which npm fetches: the runner, its workers, the services and the agents.`;

helpOn(USAGE);
const [major = '', ...jestArguments] = process.argv.slice(2);
const version = NODE_VERSIONS.get(major);
if (version === undefined) {
  console.error(`${major === '' ? 'No version of Node is given' : `Node ${major} is not one of those that tests can be run on`}\n${USAGE}`);
  process.exit(2);
}

tolerateClosedOutput();
/** @type {import('node:child_process').ChildProcess | null} */
let child = null;
onStopSignal(interrupt, interrupt);
try {
  process.exit(await test(await new Progress().phase(`Node ${version}`, () => nodeProgram(version))));
} catch (error) {
  console.error(`${describe(error)}\n\n${countLine({ passed: 0, failed: 1, skipped: 0 })}`);
  process.exit(1);
}

/** @param {string} node the program @returns {Promise<number>} the exit code */
async function test(node) {
  // Most children are started with process.execPath; npm and what it runs find theirs on the PATH.
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter), NODE: node, npm_node_execpath: node };
  const args = [join(ROOT, 'scripts', 'test.mjs'), ...jestArguments];
  // A group of its own: it is told once that it is to stop.
  const started = spawn(node, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  child = started;
  return await new Promise((resolve) => started.on('exit', (code) => resolve(code ?? 1)));
}

function interrupt() {
  abortCommands();
  child?.kill('SIGTERM');
}
