// Starts processes for the provisioner (see process-launcher.ts), in a process of its own: fork(2) copies the tables of all memory that a process has, and a
// service stands still meanwhile. This one is small. It lives as long as its provisioner does, or until that has no more use for it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

/** @import { Order, Told } from './process-launcher.js' */

const provisioner = process.ppid;

/** @param {Told} told */
function tell(told) {
  process.send?.(told);
}

/** @param {Order} order */
async function start({ id, command: [file, ...args], cwd, env, logFile }) {
  const output = logFile === null ? 'ignore' : openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
    child.once('exit', (code, signal) => tell({ id, exited: String(signal ?? code) }));
    await once(child, 'spawn');
    if (child.pid !== undefined) tell({ id, pid: child.pid });
  } finally {
    if (output !== 'ignore') closeSync(output);
  }
}

process.on('message', (/** @type {Order} */ order) => {
  // A provisioner that has died has lost its locks: who holds them now does not know what it had ordered.
  if (process.ppid !== provisioner) process.exit(0);
  start(order).catch((/** @type {NodeJS.ErrnoException} */ { code, syscall, message }) =>
    tell({ id: order.id, error: { code, syscall, message } }),
  );
});
process.on('disconnect', () => process.exit(0));
