// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from './failure.mjs';
import { lastLines, run } from './processes.mjs';
import { ROOT } from './state.mjs';

const SOURCES = ['libs', 'services', 'runtime', 'cli', 'package-lock.json', 'package.json', 'tsconfig.json', 'tsconfig.base.json'];
const OUTPUTS = [
  ...['gateway', 'lifecycle', 'provisioner', 'billing', 'deadletters'].map((name) => `services/${name}/dist/main.js`),
  'cli/dist/main.js',
  'runtime/agent/dist/agent.js',
];
const STAMP = join(ROOT, '.reprise', 'built');

/** Compile, unless no source has changed since the last time: even a build with nothing to do takes seconds. */
export async function build() {
  const before = fingerprint();
  if (OUTPUTS.every((file) => existsSync(join(ROOT, file))) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === before) {
    return 'skip: unchanged';
  }
  rmSync(STAMP, { force: true });
  const result = await run('npm', ['run', '--silent', 'build'], { cwd: ROOT, abortable: true });
  if (result.code !== 0) throw new Failure('the build failed:', lastLines(result.output, 20));
  mkdirSync(dirname(STAMP), { recursive: true });
  // As it was when the build began: a file saved meanwhile is built the next time.
  writeFileSync(STAMP, before);
  return 'done';
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const source of SOURCES) addTo(hash, source);
  return hash.digest('hex');
}

/** @param {import('node:crypto').Hash} hash @param {string} path */
function addTo(hash, path) {
  const full = join(ROOT, path);
  if (!existsSync(full)) return;
  const { mtimeMs, size } = statSync(full);
  if (!statSync(full).isDirectory()) return void hash.update(`${path}\0${mtimeMs}\0${size}\n`);
  for (const entry of readdirSync(full, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.endsWith('.tsbuildinfo')) continue;
    if (entry.isDirectory() || /\.(ts|json|mjs|cjs|js|sql)$/.test(entry.name)) addTo(hash, join(path, entry.name));
  }
}
