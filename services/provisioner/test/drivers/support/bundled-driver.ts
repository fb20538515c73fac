import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(__dirname, '../../../src/pods/process');

/** Builds the process driver into this directory, for programs that are not run by Jest: `require('./driver.js')`. */
export function bundleDriver(directory: string): void {
  const build = join(__dirname, '../../../../../node_modules/.bin/esbuild');
  const source = join(SOURCES, 'process-pod-driver.ts');
  execFileSync(build, [source, '--bundle', '--platform=node', `--outfile=${join(directory, 'driver.js')}`, '--log-level=error']);
  copyFileSync(join(SOURCES, 'launcher.mjs'), join(directory, 'launcher.mjs'));
}
