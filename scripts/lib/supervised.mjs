// @ts-check
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { Failure } from './failure.mjs';
import { openLog } from './log-file.mjs';
import { identify, terminate } from './processes.mjs';
import { until } from './wait.mjs';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A service that stayed up so long has got over what killed it. */
const SETTLED_MS = 60_000;
const READY_LIMIT_MS = 90_000;
const STOP_GRACE_MS = 30_000;

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {string} script
 * @property {string[]} args
 * @property {Record<string, string>} env
 * @property {string} logFile
 * @property {string} readyUrl
 * @property {(line: string) => void} onLine each line that it prints
 * @property {(text: string) => void} onNews what happened to it
 * @property {() => void} onChange its process began or ended
 */

/** A service kept running: started again when it dies, with a growing pause, until it is told to stop. */
export class Supervised {
  #program;
  #log;
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  #stopping = new AbortController();
  /** Once it was ready for the first time. Until then its death is a failed start and no reason to try again. */
  #settledOnce = false;
  #startedAt = 0;
  #pauseMs = FIRST_PAUSE_MS;
  /** @type {string[]} */
  #last = [];
  /** @type {string | null} */
  #death = null;
  /** @type {{ how: string, at: string } | null} */
  #lastEnd = null;
  #starts = 0;
  /** What it warned of until it was ready. @type {string[]} */
  #warnings = [];

  /** @param {Program} program */
  constructor(program) {
    this.#program = program;
    this.#log = openLog(program.logFile);
    this.#spawn();
  }

  /** What `reprise doctor` and `reprise status` show of it (cli/src/status/supervised.ts). */
  get record() {
    return {
      pid: this.#child?.pid ?? null,
      started_at: new Date(this.#startedAt).toISOString(),
      restarts: Math.max(0, this.#starts - 1),
      last_end: this.#lastEnd,
    };
  }

  /** What it warned of while it started. */
  get warnings() {
    return this.#warnings.map((text) => `${this.#program.name}: ${text}`);
  }

  #spawn() {
    const { script, args, env } = this.#program;
    this.#startedAt = Date.now();
    this.#starts += 1;
    // A session of its own: a Ctrl-C in the terminal reaches us alone, and we stop the services in order.
    const child = spawn(process.execPath, [script, ...args], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => this.#heard(line));
    child.on('exit', (code, signal) => this.#died(signal ?? `code ${code}`));
    child.on('error', (error) => this.#died(error.message));
    this.#program.onChange();
  }

  /** @param {string} line */
  #heard(line) {
    this.#log.write(`${line}\n`);
    this.#last = [...this.#last.slice(-11), line];
    const warning = this.#settledOnce ? null : warningIn(line);
    if (warning !== null) this.#warnings.push(warning);
    this.#program.onLine(line);
  }

  /** @param {string} how */
  #died(how) {
    this.#child = null;
    this.#death = how;
    this.#lastEnd = { how, at: new Date().toISOString() };
    this.#program.onChange();
    if (this.#stopping.signal.aborted || !this.#settledOnce) return;
    if (Date.now() - this.#startedAt > SETTLED_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#program.onNews(`${this.#program.name} ended (${how}); starting it again in ${this.#pauseMs / 1000} s`);
    const pause = this.#pauseMs;
    this.#pauseMs = Math.min(pause * 2, LONGEST_PAUSE_MS);
    delay(pause, undefined, { signal: this.#stopping.signal }).then(
      () => this.#spawn(),
      () => {},
    );
  }

  /** Wait until it is ready for the first time. @throws {Failure} with its last lines, where it ends before */
  async ready() {
    const { name, readyUrl } = this.#program;
    const done = await until(async () => this.#child === null || (await answers(readyUrl)), { limitMs: READY_LIMIT_MS, everyMs: 50 });
    if (this.#stopping.signal.aborted) return;
    if (this.#child === null) throw new Failure(`${name} ended while it started (${this.#death}):`, this.#last.join('\n'));
    if (!done) throw new Failure(`${name} was not ready within ${READY_LIMIT_MS / 1000} s:`, this.#last.join('\n'));
    this.#settledOnce = true;
  }

  /** Ask it to end what it has in hand and go, and wait until it has gone. @param {{ graceMs?: number }} [options] */
  async stop({ graceMs = STOP_GRACE_MS } = {}) {
    this.#stopping.abort();
    const who = this.#child?.pid ? identify(this.#child.pid) : null;
    if (who && !(await terminate(who, { graceMs }))) {
      this.#program.onNews(`${this.#program.name} did not stop within ${graceMs / 1000} s and was killed`);
    }
    this.#log.end();
  }
}

/** The text of a warning, of whichever format the log is. What a service still waits for is none. @param {string} line */
function warningIn(line) {
  const text = line.startsWith('{') ? inJson(line) : /\bWARN\b\S*:?\s*(.*)$/.exec(stripVTControlCharacters(line))?.[1];
  return text === undefined || text.endsWith(' is down') ? null : text;
}

/** @param {string} line @returns {string | undefined} */
function inJson(line) {
  try {
    const { level, msg } = JSON.parse(line);
    return level === 'warn' && typeof msg === 'string' ? msg : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} url */
async function answers(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
