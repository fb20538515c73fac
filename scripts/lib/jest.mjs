// @ts-check
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isGreen, readReport } from './count.mjs';
import { Failure } from './failure.mjs';
import { ROOT } from './state.mjs';

/** A run of jest whose report goes to a file, and which can be ended with all that it has started. */
export class JestRun {
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;

  /** @param {string} report */
  constructor(report) {
    this.report = report;
    rmSync(report, { force: true }); // an old one must not be taken for this run's
  }

  /** @param {string[]} args @param {NodeJS.ProcessEnv} env */
  async run(args, env) {
    const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
    // Its JSON goes to the file, what it tells people to standard error.
    const child = spawn(process.execPath, [jest, '--json', '--outputFile', this.report, ...args], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
    this.#child = child;
    const code = await new Promise((resolve) => child.on('exit', (exit, signal) => resolve(signal ?? exit)));
    this.#child = null;
    // Its report may look green although it was killed, or something else than a test failed.
    if (code !== 0 && isGreen(readReport(this.report))) {
      rmSync(this.report);
      throw new Failure(`jest ended with ${code} although no test failed`);
    }
  }

  /** The whole group: jest has workers, and these may have started services. */
  end() {
    if (this.#child?.pid) process.kill(-this.#child.pid, 'SIGTERM');
  }
}
