#!/usr/bin/env node
/**
 * Writes the documents that are made from the built code (`npm run docs`), or with `--check` says which of them are not
 * what the code says, and exits with 1.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asyncapi } from './lib/asyncapi.mjs';
import { commandLine } from './lib/command-line.mjs';
import { configurationPage } from './lib/configuration-page.mjs';
import { describe } from './lib/failure.mjs';
import { messageWords } from './lib/message-words.mjs';
import { messagesPage } from './lib/messages-page.mjs';
import { metricsPage } from './lib/metrics-page.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const load = createRequire(import.meta.url);

const contracts = () => load(resolve(ROOT, 'libs/contracts/dist/index.js'));

const { check } = commandLine(
  { usage: 'usage: npm run docs -- [--check]', options: { check: { type: 'boolean', default: false } } },
  ({ values }) => values,
);

/** File, and what makes its text. */
const DOCUMENTS = new Map([
  ['docs/asyncapi.json', () => asyncapi(contracts(), messageWords(resolve(ROOT, 'libs/contracts/src/messages')))],
  ['docs/configuration.md', () => configurationPage(ROOT, load)],
  ['docs/message-catalogue.md', () => messagesPage(contracts())],
  ['docs/metrics.md', () => metricsPage(ROOT, load)],
  ['docs/openapi.json', () => load(resolve(ROOT, 'services/gateway/dist/openapi.js')).openapi()],
]);

/** @param {boolean} check compare only @returns {Promise<number>} how many documents are not what the code says */
async function main(check) {
  let stale = 0;
  for (const [name, make] of DOCUMENTS) {
    const file = resolve(ROOT, name);
    const text = await make();
    const present = await readFile(file, 'utf8').catch(() => undefined);
    if (present === text) continue;
    if (check) {
      stale += 1;
      process.stderr.write(`${name} is not what the code says: run "npm run docs"\n`);
    } else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      process.stdout.write(`wrote ${name}\n`);
    }
  }
  return stale;
}

try {
  process.exitCode = (await main(check)) > 0 ? 1 : 0;
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
}
