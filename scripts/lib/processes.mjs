// @ts-check
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { until } from './wait.mjs';

/** @typedef {{ pid: number, started: string }} Identity a process, told apart from a later one that got the same pid */

const LINUX = process.platform === 'linux';
/** Linux tells start times as ticks since the boot: after another boot the same number is another process's. */
const BOOT = LINUX ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '';

/**
 * When a process started, in a form that only ever equals itself; null where it has gone. A zombie counts as gone; one whose first thread has ended, and
 * others not, is none.
 * @param {number} pid
 * @returns {string | null}
 */
export function startTime(pid) {
  if (!LINUX) {
    try {
      return (
        execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] })
          .toString()
          .trim() || null
      );
    } catch {
      return null;
    }
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in brackets and may hold anything, a bracket too: count fields from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // State and number of threads (proc(5)).
    const hasEnded = (fields[0] === 'Z' || fields[0] === 'X') && Number(fields[17]) <= 1;
    return hasEnded ? null : `${BOOT}:${fields[19]}`;
  } catch {
    return null;
  }
}

/** @param {number} pid @returns {Identity | null} */
export function identify(pid) {
  const started = startTime(pid);
  return started === null ? null : { pid, started };
}

/** @param {Identity | null | undefined} who */
export function isAlive(who) {
  return !!who && startTime(who.pid) === who.started;
}

/**
 * Processes whose argument list satisfies the test. A pid file may be stale, or not written yet when its writer was killed;
 * the list of processes is neither.
 * @param {(args: string[], pid: number) => boolean} matches
 * @returns {Identity[]}
 */
export function findProcesses(matches) {
  /** @type {Identity[]} */
  const found = [];
  for (const [pid, args] of LINUX ? procArguments() : psArguments()) {
    if (pid === process.pid || !matches(args, pid)) continue;
    const who = identify(pid);
    if (who) found.push(who);
  }
  return found;
}

/** @returns {Iterable<[number, string[]]>} */
function* procArguments() {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      if (args[0]) yield [Number(name), args];
    } catch {
      // It ended while the list was read.
    }
  }
}

/** @returns {Iterable<[number, string[]]>} */
function* psArguments() {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,command='], { maxBuffer: 1 << 26 })
    .toString()
    .split('\n');
  for (const line of lines) {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line);
    if (match?.[1] && match[2]) yield [Number(match[1]), match[2].split(' ')];
  }
}

/**
 * Signal a process and wait until it has gone; SIGKILL when the grace is over.
 * @param {Identity} who
 * @param {{ signal?: NodeJS.Signals, graceMs?: number }} [options]
 * @returns {Promise<boolean>} whether it went without being killed
 */
export async function terminate(who, { signal = 'SIGTERM', graceMs = 30_000 } = {}) {
  if (!isAlive(who)) return true;
  trySignal(who.pid, signal);
  if (await until(() => !isAlive(who), { limitMs: graceMs, everyMs: 25 })) return true;
  if (isAlive(who)) trySignal(who.pid, 'SIGKILL');
  await until(() => !isAlive(who), { limitMs: 10_000, everyMs: 25 });
  return false;
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function trySignal(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const abortable = new Set();
let aborted = false;

/** End the commands that were started as abortable, and start no more of them: a Ctrl-C need not wait for a download. */
export function abortCommands() {
  aborted = true;
  // The whole group: npm does its work in children.
  for (const { pid } of abortable) if (pid) trySignal(-pid, 'SIGTERM');
}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string} [input] text for its standard input
 * @property {boolean} [abortable] whether `abortCommands` may end it
 * @property {number} [limitMs]
 */

/**
 * Run a command to its end and keep what it printed. Never rejects for an exit code: a command that could not be run has code 127.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, stdout: string, output: string }>}
 */
export function run(command, args, { cwd, env, input, abortable: mayAbort = false, limitMs } = {}) {
  if (mayAbort && aborted) return Promise.resolve({ code: 130, stdout: '', output: 'stopped' });
  return new Promise((resolve) => {
    // Its own session: a Ctrl-C in the terminal reaches us alone, and we end things in order.
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let output = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr.on('data', (chunk) => (output += chunk));
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(input ?? '');
    if (mayAbort) abortable.add(child);
    const timer = limitMs ? setTimeout(() => child.kill('SIGKILL'), limitMs) : undefined;
    /** @param {number} code */
    const finish = (code) => {
      clearTimeout(timer);
      abortable.delete(child);
      resolve({ code, stdout, output });
    };
    child.on('error', (error) => {
      output += error.message;
      finish(127);
    });
    child.on('close', (code) => finish(code ?? 137));
    // A server started by the command may hold the pipes open for as long as it lives: do not wait for their end for ever.
    child.on('exit', (code) => setTimeout(() => finish(code ?? 137), 500).unref());
  });
}

/** The last lines of a text, for an error message. @param {string} text @param {number} [count] */
export function lastLines(text, count = 8) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
