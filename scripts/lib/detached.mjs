// @ts-check
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { holderOf } from './lock.mjs';
import { rotate } from './log-file.mjs';
import { ROOT } from './state.mjs';
import { until } from './wait.mjs';

/** A first start installs and builds. */
const START_LIMIT_MS = 600_000;

/**
 * Start a supervisor in the background, show what it tells, and return once it is ready or has failed.
 * @param {import('./state.mjs').State} state
 * @param {string[]} options of npm start, for the supervisor
 * @returns {Promise<number>} the exit code to end with
 */
export function startDetached(state, options = []) {
  state.privateFolder('logs');
  const file = state.path('logs', 'supervisor.log');
  rotate(file);
  const log = openSync(file, 'a', 0o600);
  const args = [join(ROOT, 'scripts', 'start.mjs'), '--supervise', ...options];
  const child = spawn(process.execPath, args, { cwd: ROOT, detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  console.log('Starting Reprise in the background.');
  return new Promise((resolve) => {
    let over = false;
    /** @param {number} code @param {string} text */
    const end = (code, text) => {
      if (over) return;
      over = true;
      (code === 0 ? console.log : console.error)(text);
      if (child.connected) child.disconnect();
      child.unref();
      resolve(code);
    };
    child.on('message', (/** @type {{ text?: string, ready?: string, failed?: string }} */ message) => {
      if (message.text) process.stdout.write(message.text);
      if (message.ready) end(0, `${message.ready}\n  It runs in the background: npm stop stops it.`);
      if (message.failed) end(1, message.failed);
    });
    child.on('exit', (code, signal) => end(1, `the supervisor ended (${signal ?? `code ${code}`}); see .reprise/logs/supervisor.log`));
    // Ctrl-C while it starts: what has been started must not stay behind, half-way.
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => child.kill('SIGTERM'));
  });
}

/** Tells other processes that the instance of this one is ready. @param {import('./state.mjs').State} state */
export function announceReady(state) {
  writeFileSync(state.path('ready'), String(process.pid), { mode: 0o600 });
}

/**
 * Waits until an instance that another process has started is ready. False where it ends instead, or does not come up.
 * @param {import('./state.mjs').State} state
 * @returns {Promise<boolean>}
 */
export async function untilReady(state) {
  const holder = () => holderOf(state.path('lock'));
  const isReady = () => existsSync(state.path('ready')) && readFileSync(state.path('ready'), 'utf8') === String(holder()?.pid);
  await until(async () => isReady() || !holder(), { limitMs: START_LIMIT_MS, everyMs: 500 });
  return isReady();
}
