// @ts-check
// npm stop [-- --pods [--without-saving]]: stop what npm start started, wherever it runs, and what npm test and npm run test:faults left up.
import { existsSync } from 'node:fs';
import { commandLine } from './lib/command-line.mjs';
import { Failure, describe } from './lib/failure.mjs';
import { runningServers, stopBroker, stopDatabase } from './lib/infrastructure.mjs';
import { holderOf, takeLock } from './lib/lock.mjs';
import { podsOf, removePods } from './lib/pods.mjs';
import { isAlive } from './lib/processes.mjs';
import { stopStrayServices } from './lib/services.mjs';
import { State, instanceFolder, testFolders } from './lib/state.mjs';
import { until } from './lib/wait.mjs';

// Four services with 30 s each to end what they have in hand, and the servers after them.
const LIMIT_MS = 180_000;

const USAGE = `usage: npm stop -- [--pods [--without-saving]]

Stops what npm start started in this checkout, wherever it runs, and what npm test left up. Pods go on running.

  --pods             the pods, too: each workspace is stopped, and so saved, first
  --without-saving   with --pods: they are ended as they are`;

const options = commandLine(
  { usage: USAGE, options: { pods: { type: 'boolean' }, 'without-saving': { type: 'boolean' } } },
  ({ values }) => {
    if (values['without-saving'] && !values.pods) throw new Failure('--without-saving goes with --pods: without it pods go on running');
    return values;
  },
);

try {
  for (const folder of testFolders()) if (existsSync(folder)) await stopTests(new State(folder));
  const state = new State(instanceFolder());
  if (options.pods && !options['without-saving']) await savePods(state);
  await stopInstance(state);
  await tellOfPods(state);
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}

/**
 * Pods are not ended before their workspaces are saved, or somebody has agreed that they are not.
 * @param {State} state
 */
async function savePods(state) {
  if (podsOf(state).length === 0) return;
  const keep = 'Their files stay, and the next resume saves them.';
  if (!holderOf(state.path('lock'))) return agree(`Reprise is not running, so its ${podsOf(state).length} pods cannot be saved. ${keep}`);
  const { saveWorkspaces } = await import('./lib/save-workspaces.mjs');
  console.log('Stopping the workspaces, each saved first.');
  const { saved, failed } = await saveWorkspaces(state);
  console.log(`Workspaces stopped: ${saved}.`);
  if (failed.length > 0) await agree(`Not saved: ${failed.length}.\n  ${failed.join('\n  ')}\n${keep}`);
}

/** @param {string} what @throws Failure unless a person agrees */
async function agree(what) {
  const { isAgreed } = await import('./lib/save-workspaces.mjs');
  console.log(what);
  if (!(await isAgreed('End these pods all the same?'))) {
    throw new Failure('nothing was ended. To end pods without saving them: npm stop -- --pods --without-saving');
  }
}

/** @param {State} state */
async function stopInstance(state) {
  const supervisor = holderOf(state.path('lock'));
  if (supervisor) {
    console.log(`Stopping Reprise (${supervisor.what}, pid ${supervisor.pid}).`);
    process.kill(supervisor.pid, 'SIGTERM');
    if (!(await until(() => !isAlive(supervisor), { limitMs: LIMIT_MS, everyMs: 50 }))) {
      throw new Failure(`it has not stopped within ${LIMIT_MS / 1000} s; .reprise/logs tells what it waits for`);
    }
  }
  // Also where there was none: a supervisor that was killed leaves everything running.
  const { PostgreSQL, RabbitMQ } = runningServers(state);
  await whileLocked(state, 'npm stop', async () => {
    const strays = await stopStrayServices(state);
    await Promise.all([stopBroker(state), stopDatabase(state)]);
    const found = supervisor ?? PostgreSQL ?? RabbitMQ ?? strays > 0;
    console.log(found ? 'Stopped.' : 'Nothing runs.');
  });
}

/** @param {State} state */
async function stopTests(state) {
  const running = holderOf(state.path('lock'));
  if (running) return console.log(`${running.what} is running (pid ${running.pid}) and was left alone.`);
  await whileLocked(state, 'npm stop', async () => {
    await Promise.all([stopBroker(state, { durable: false }), stopDatabase(state)]);
  });
}

/** @param {State} state @param {string} what @param {() => Promise<void>} work */
async function whileLocked(state, what, work) {
  const lock = takeLock(state.path('lock'), what);
  if (!lock.release) throw new Failure(`another process has just started here (${lock.holder.what}, pid ${lock.holder.pid})`);
  try {
    await work();
  } finally {
    lock.release();
  }
}

/** @param {State} state */
async function tellOfPods(state) {
  if (options.pods) {
    const ended = await removePods(state);
    console.log(`Pods ended: ${ended}.${ended > 0 ? ' Their files stay: resume saves them, and goes on from them.' : ''}`);
    return;
  }
  const left = podsOf(state).length;
  if (left > 0)
    console.log(`Pods that go on running: ${left}. The next npm start finds them again; npm stop -- --pods saves and ends them.`);
}
